from __future__ import annotations

import http.client
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.embedded.processes import Command, Process
from newsletter.models import Delivery
from newsletter.models.schema import upgrade
from newsletter.queue import make_redis
from newsletter.settings_sources import PREFIX
from newsletter.tracking.buffer import EventBuffer
from newsletter.tracking.tokens import Tokens
from tests.factories import SECRET, make_mailing
from tests.paths.steps import newsletter, wait_until
from tests.servers.postgres import PostgresServer, free_port

HOST = "127.0.0.1"
RIGHT = "https://example.org/right"


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as running:
        yield running


@pytest.fixture
def database_url(server: PostgresServer) -> str:
    url = server.create_database()
    database = Database(url)
    upgrade(database)
    database.close()
    return url


def ask(port: int, path: str, **headers: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(HOST, port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Location", "")
    except OSError:
        return 0, ""
    finally:
        connection.close()


@contextmanager
def tracking(folder: Path) -> Iterator[int]:
    """The port of two processes that answer readers."""
    port = free_port(HOST)
    environment = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    argv = (sys.executable, "-m", "newsletter", "track", "--processes", "2")
    process = Process(Command("track", argv, {**environment, f"{PREFIX}WEB_PORT": str(port)}, folder / "track.log"))
    process.start()
    try:
        wait_until(lambda: ask(port, "/healthz/track")[0] == 200, "readers to be answered")
        yield port
    finally:
        process.stop(10)


def test_links_are_followed_and_counted_while_sql_is_down_as_they_were_corrected(
    settings: Settings, server: PostgresServer, tmp_path: Path
) -> None:
    database = Database(settings.database)
    mailing_id = make_mailing(database)
    with database.read() as session:
        delivery_id = session.scalars(select(Delivery.id)).first() or 0
    database.close()
    token = Tokens.of(SECRET.encode()).clicks.seal(mailing_id, delivery_id)
    with tracking(tmp_path) as port:
        assert ask(port, f"/c/{token}/2")[1] not in ("", RIGHT)
        newsletter("mailing", "correct-link", str(mailing_id), "2", RIGHT)
        assert RIGHT in newsletter("mailing", "links", str(mailing_id))
        wait_until(lambda: all(ask(port, f"/c/{token}/2") == (302, RIGHT) for _ in range(8)), "the correction", 10)
    redis = make_redis(settings)
    buffer = EventBuffer(redis)
    buffer.drop(buffer.oldest())
    server.stop(signal.SIGKILL)
    with tracking(tmp_path) as port:
        assert ask(port, f"/c/{token}/2", **{"X-Forwarded-For": "192.0.2.7"}) == (302, RIGHT)
        assert ask(port, "/healthz")[0] == 503
    (event,) = buffer.oldest()
    assert (event.link_number, event.ip) == (2, "192.0.2.7")
    redis.close()
