from __future__ import annotations

import time

import pytest

from newsletter.db import moment
from newsletter.models import DeliveryState, MailingStatus
from newsletter.sending import control
from tests.chaos.conftest import Form
from tests.chaos.scene import Scene
from tests.paths.steps import wait_until

pytestmark = pytest.mark.timeout(300)

# Within which a pause is to be in force everywhere.
PAUSE_SECONDS = 2.0
QUIET_SECONDS = 1.0


@pytest.mark.short_on("sqlite")
def test_seconds_after_a_pause_nothing_more_arrives_until_it_is_resumed(scene: Scene, form: Form) -> None:
    with scene.worker(), scene.worker():
        for _ in range(form.times):
            scene.wait_for_more()
            with scene.database.write() as session:
                control.pause(session, scene.mailing_id)
            time.sleep(PAUSE_SECONDS)
            arrived = scene.sink.counts()
            time.sleep(QUIET_SECONDS)
            assert scene.sink.counts() == arrived
            with scene.database.write() as session:
                control.resume(session, scene.mailing_id)
        scene.finish()
    scene.prove(doubts=0)


@pytest.mark.short_on("postgresql")
def test_whoever_a_cancelled_mailing_did_not_reach_is_cancelled(scene: Scene) -> None:
    with scene.worker(), scene.worker():
        scene.wait_for_more()
        with scene.database.write() as session:
            control.cancel(session, scene.mailing_id, moment(session))
        wait_until(lambda: scene.mailing().finished_at is not None, "the cancelled mailing to close")
    unreached = {email for email, state in scene.states().items() if state is DeliveryState.CANCELLED}
    assert unreached
    assert scene.mailing().status is MailingStatus.CANCELLED
    receipt = scene.prove(doubts=0, others=dict.fromkeys(unreached, DeliveryState.CANCELLED))
    assert receipt.outcomes[DeliveryState.SENT] + len(unreached) == len(scene.emails)
