from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.models.schema import upgrade
from newsletter.settings_sources import PREFIX
from newsletter.tracking.losses import FOLDER
from tests.chaos.conftest import WHOLE, Form
from tests.chaos.readers import HOST
from tests.chaos.storm import Servers, Storm, kill
from tests.servers.postgres import PostgresServer
from tests.servers.valkey import ValkeyServer

pytestmark = pytest.mark.timeout(600)

ANSWERS = 150
LONGEST_AWAY = 0.6


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Durable, as in production: what it confirmed it must know after any end."""
    with PostgresServer(durable=True) as running:
        yield running


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'newsletter.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("server")
        url = server.create_database()
    database = Database(url)
    upgrade(database)
    database.close()
    return url


@pytest.fixture(params=[pytest.param(None, marks=pytest.mark.whole_only), HOST], ids=["socket", "tcp"])
def valkey(request: pytest.FixtureRequest) -> Iterator[ValkeyServer]:
    """As it is embedded, and as others run it."""
    with ValkeyServer(request.param) as running:
        yield running


@pytest.fixture
def storm(settings: Settings, form: Form, random: Random) -> Iterator[Storm]:
    with Storm(settings, form.recipients, random) as made:
        yield made


@pytest.fixture
def servers(storm: Storm, form: Form, tmp_path: Path) -> Iterator[Servers]:
    processes = 2 if form is WHOLE else 1
    environment = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    with Servers(storm, tmp_path, environment, processes) as running:
        yield running


def rounds(form: Form, random: Random) -> Iterator[tuple[str, ...]]:
    """What is killed: each of the three and all of them together, in another order each time.

    Web alone is not in the short form, which kills it while others are away.
    """
    for _ in range(form.times - 1):
        what: list[tuple[str, ...]] = [("worker",), ("valkey",), ("web", "worker", "valkey")]
        if form is WHOLE:
            what.append(("web",))
        random.shuffle(what)
        yield from what


@pytest.mark.short_on("postgresql")
def test_what_was_answered_is_kept_once_whatever_is_killed_or_counted_as_lost(
    storm: Storm,
    servers: Servers,
    valkey: ValkeyServer,
    form: Form,
    random: Random,
    request: pytest.FixtureRequest,
) -> None:
    ends: dict[str, Callable[[], None]] = {
        "web": lambda: kill(servers.web),
        "worker": lambda: kill(servers.worker),
        "valkey": valkey.kill,
    }
    begins: dict[str, Callable[[], None]] = {
        "valkey": valkey.start,
        "web": servers.web.start,
        "worker": servers.worker.start,
    }
    with storm.readers:
        for killed in rounds(form, random):
            storm.wait_for_more(ANSWERS)
            time.sleep(random.uniform(0.0, 0.5))
            for name in killed:
                ends[name]()
            time.sleep(random.uniform(0.0, LONGEST_AWAY))
            for name, begin in begins.items():
                if name in killed:
                    begin()
        lose_events(storm, servers, valkey)
        if "postgresql" in storm.settings.database:
            stop_sql(storm, servers, request.getfixturevalue("server"))
        storm.wait_for_more(ANSWERS)
    assert storm.readers.diary.refused == set()
    storm.drain()
    servers.web.stop(10)
    assert list((storm.settings.data_dir / FOLDER).iterdir()) == []
    assert storm.prove().total() > 0


def lose_events(storm: Storm, servers: Servers, valkey: ValkeyServer) -> None:
    """Readers are answered while the buffer stays away, and those who answered them are killed before it is back."""
    storm.wait_for_more(ANSWERS)
    valkey.kill()
    storm.wait_for_more(ANSWERS)
    kill(servers.web)
    servers.web.start()
    storm.wait_for_more(ANSWERS)
    valkey.start()


def stop_sql(storm: Storm, servers: Servers, server: PostgresServer) -> None:
    """Readers are answered while the database is away, by processes that have never seen it too."""
    storm.wait_for_more(ANSWERS)
    server.stop(signal.SIGKILL)
    storm.wait_for_more(ANSWERS)
    kill(servers.web)
    servers.web.start()
    storm.wait_for_more(ANSWERS)
    server.start()
