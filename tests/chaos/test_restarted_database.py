from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from random import Random

import pytest

from newsletter.db import Database
from newsletter.models.schema import upgrade
from newsletter.sending.plan import BATCH_SIZE
from tests.chaos.conftest import Form
from tests.chaos.scene import Scene
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.timeout(300)

MANY = 8
SLOWLY = 0.5
# Long enough for every process to notice.
SECONDS_AWAY = 8.0


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Durable, as in production: what it confirmed it must know after any end."""
    with PostgresServer(durable=True) as running:
        yield running


@pytest.fixture
def database_url(server: PostgresServer) -> str:
    url = server.create_database()
    database = Database(url)
    upgrade(database)
    database.close()
    return url


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["fast", "killed"])
def test_a_database_that_ends_and_comes_back_leaves_nobody_in_doubt(
    server: PostgresServer, scene: Scene, random: Random, how: signal.Signals
) -> None:
    with scene.worker():
        for _ in range(2):
            scene.wait_for_more()
            time.sleep(random.uniform(0.0, 0.8))
            server.stop(how)
            time.sleep(random.uniform(0.0, 0.8))
            server.start()
        scene.finish()
    scene.prove(doubts=0)


@pytest.mark.whole_only
def test_each_of_many_processes_writes_down_what_it_sent_though_only_the_first_are_given_tasks_afterwards(
    server: PostgresServer, scene: Scene, form: Form
) -> None:
    scene.sink.behave(delay=SLOWLY)
    with scene.worker(processes=MANY):
        # Each of them has one of the last batches.
        scene.wait_for_more(form.recipients - MANY * BATCH_SIZE // 2)
        server.stop()
        time.sleep(SECONDS_AWAY)
        server.start()
        scene.finish()
    scene.prove(doubts=0)
