from __future__ import annotations

import time
from random import Random

import pytest

from newsletter.mail.transport import CONNECTIONS
from tests.chaos.conftest import Form
from tests.chaos.scene import Scene
from tests.servers.worker import PROCESSES

pytestmark = pytest.mark.timeout(300)

DROPS = 20


WHOLE_ONLY = pytest.mark.whole_only


@pytest.mark.short_on("postgresql")
@pytest.mark.parametrize(
    ("step", "chunking", "is_doubtful"),
    [
        pytest.param("greeting", True, False, marks=WHOLE_ONLY),
        pytest.param("before_mail", True, False, marks=WHOLE_ONLY),
        pytest.param("before_mail", False, False, marks=WHOLE_ONLY),
        # Data leave without being asked for (RFC 3030) once the recipient is taken.
        pytest.param("after_rcpt", True, True, marks=WHOLE_ONLY),
        ("after_rcpt", False, False),
        ("in_data", True, True),
        pytest.param("in_data", False, True, marks=WHOLE_ONLY),
        pytest.param("after_dot", True, True, marks=WHOLE_ONLY),
        pytest.param("after_dot", False, True, marks=WHOLE_ONLY),
        ("before_reply", True, True),
        pytest.param("before_reply", False, True, marks=WHOLE_ONLY),
    ],
)
def test_a_server_that_hangs_up_leaves_only_those_in_doubt_whose_message_had_all_left(
    scene: Scene, form: Form, step: str, chunking: bool, is_doubtful: bool
) -> None:
    behaviour = {"delay": form.delay, "chunking": chunking, "drop": {"step": step, "next": DROPS}}
    scene.sink.behave(**behaviour)
    with scene.worker():
        for _ in range(form.times - 1):
            scene.wait_for_more(form.recipients // form.times // 2, hurry=True)
            scene.sink.behave(**behaviour)
        scene.finish(hurry=True)
    scene.prove(doubts=form.times * DROPS if is_doubtful else 0)


@pytest.mark.whole_only
def test_a_server_that_dies_and_comes_back_leaves_in_doubt_one_message_a_connection_at_most(
    scene: Scene, form: Form, random: Random
) -> None:
    with scene.worker():
        for _ in range(form.times):
            scene.wait_for_more(hurry=True)
            time.sleep(random.uniform(0.0, 0.8))
            scene.sink.kill()
            scene.sink.start()
        scene.finish(hurry=True)
    scene.prove(doubts=form.times * PROCESSES * CONNECTIONS)
