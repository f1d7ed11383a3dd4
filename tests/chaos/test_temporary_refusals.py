from __future__ import annotations

import time

import pytest

from newsletter.models import DeliveryState
from tests.chaos.conftest import Form
from tests.chaos.scene import Scene

pytestmark = pytest.mark.timeout(300)

MESSAGES_A_CONNECTION = 50


@pytest.mark.short_on("sqlite")
@pytest.mark.parametrize("reply", ["451 4.3.0 try later", "421 4.7.0 too many messages"])
def test_a_server_that_says_later_to_everyone_for_a_while_loses_nobody(scene: Scene, form: Form, reply: str) -> None:
    with scene.worker():
        scene.wait_for_more()
        scene.sink.behave(refuse_all={"step": "rcpt", "reply": reply})
        time.sleep(form.times)
        scene.sink.behave(delay=form.delay)
        scene.finish(hurry=True)
    scene.prove(doubts=0)


@pytest.mark.short_on("postgresql")
def test_a_server_that_takes_a_few_messages_a_connection_gets_the_rest_over_others(scene: Scene, form: Form) -> None:
    scene.sink.behave(delay=form.delay, close_after=MESSAGES_A_CONNECTION)
    with scene.worker():
        scene.finish(hurry=True)
    scene.prove(doubts=0)


@pytest.mark.short_on("postgresql")
def test_one_recipient_who_is_refused_among_many_is_the_only_one_who_is_rejected(scene: Scene, form: Form) -> None:
    refused = min(scene.emails)
    scene.sink.behave(delay=form.delay, refuse={refused: "550 5.1.1 no such user"})
    with scene.worker():
        scene.finish()
    receipt = scene.prove(doubts=0, others={refused: DeliveryState.REJECTED})
    assert receipt.refusals == {"address": 1}
