from __future__ import annotations

import time
from random import Random

import pytest

from tests.chaos.scene import Scene
from tests.servers.valkey import ValkeyServer

pytestmark = pytest.mark.timeout(300)


@pytest.mark.short_on("postgresql")
def test_a_broker_that_is_killed_and_starts_empty_delays_mail_and_nothing_more(
    scene: Scene, valkey: ValkeyServer, random: Random
) -> None:
    with scene.worker():
        for _ in range(2):
            scene.wait_for_more()
            time.sleep(random.uniform(0.0, 0.8))
            valkey.forget()
            time.sleep(random.uniform(0.0, 0.8))
            valkey.start()
        scene.finish()
    scene.prove(doubts=0)
