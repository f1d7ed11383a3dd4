from __future__ import annotations

import os
import signal
import time
from random import Random

import pytest

from tests.chaos.conftest import Form
from tests.chaos.scene import Scene
from tests.paths.steps import wait_until
from tests.servers.worker import Worker

pytestmark = pytest.mark.timeout(300)

DRAIN_SECONDS = 10.0


def terminate_main(worker: Worker) -> None:
    """As `kill` of the worker that an operator sees."""
    assert worker.process.pid is not None
    os.kill(worker.process.pid, signal.SIGTERM)


def terminate_all(worker: Worker) -> None:
    """As a supervisor that signals all it started."""
    worker.signal_all(signal.SIGTERM)


def wait_for_the_end(worker: Worker) -> None:
    wait_until(lambda: not worker.process.running, "the worker to drain", DRAIN_SECONDS)


@pytest.mark.short_on("sqlite")
def test_workers_that_are_asked_to_end_finish_what_is_on_the_wire_within_seconds_and_leave_nothing_in_doubt(
    scene: Scene, form: Form, random: Random
) -> None:
    for terminate in (terminate_all, terminate_main) * (form.times // 2):
        with scene.worker() as worker:
            scene.wait_for_more()
            time.sleep(random.uniform(0.0, 0.8))
            terminate(worker)
            wait_for_the_end(worker)
    with scene.worker():
        scene.finish()
    scene.prove(doubts=0)
