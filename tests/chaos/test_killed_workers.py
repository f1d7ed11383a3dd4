from __future__ import annotations

import os
import signal
import time
from random import Random

import pytest

from newsletter.mail.transport import CONNECTIONS
from tests.chaos.conftest import Form
from tests.chaos.processes import senders
from tests.chaos.scene import Scene
from tests.servers.worker import PROCESSES

pytestmark = pytest.mark.timeout(300)


@pytest.mark.short_on("postgresql")
def test_whoever_kills_all_workers_at_once_leaves_in_doubt_one_message_a_connection_at_most(
    scene: Scene, form: Form, random: Random
) -> None:
    for _ in range(form.times):
        with scene.worker() as worker:
            scene.wait_for_more()
            time.sleep(random.uniform(0.0, 0.8))
            worker.signal_all(signal.SIGKILL)
    with scene.worker():
        scene.finish()
    scene.prove(doubts=form.times * PROCESSES * CONNECTIONS)


@pytest.mark.short_on("sqlite")
def test_a_process_that_is_killed_alone_is_replaced_and_its_journal_settles_what_it_had(
    scene: Scene, form: Form, random: Random
) -> None:
    with scene.worker() as worker:
        for _ in range(form.times):
            scene.wait_for_more()
            time.sleep(random.uniform(0.0, 0.8))
            os.kill(random.choice(senders(worker)), signal.SIGKILL)
        scene.finish()
    scene.prove(doubts=form.times * CONNECTIONS)
