from __future__ import annotations

import pytest

from newsletter import queue
from tests.chaos.scene import Scene

pytestmark = pytest.mark.timeout(300)

TURNS = 50


@pytest.mark.short_on("postgresql")
def test_two_beats_and_tasks_put_many_times_over_send_to_nobody_twice(scene: Scene) -> None:
    for _ in range(2):
        scene.tasks.put(queue.PLAN, scene.mailing_id)
    with scene.worker(), scene.worker():
        scene.wait_for_more()
        for _ in range(TURNS):
            scene.tasks.put(queue.DELIVER)
            scene.tasks.put(queue.PLAN, scene.mailing_id)
        scene.finish()
    scene.prove(doubts=0)
