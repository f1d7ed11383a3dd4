"""Real servers for every test: SQLite and PostgreSQL, Valkey, SMTP. They start when first asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.db import Database
from newsletter.models.schema import upgrade
from newsletter.settings_sources import PREFIX
from tests.servers import dovecot as dovecot_server
from tests.servers.dovecot import DovecotServer, Maildir
from tests.servers.postgres import PostgresServer
from tests.servers.smtp import SmtpServer
from tests.servers.valkey import ValkeyServer

NOW = datetime(2026, 3, 13, 7, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A test sees neither the settings of whoever runs it nor the files of this folder."""
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres: PostgresServer) -> str:
    """A database whose tables are made, for copying."""
    url = postgres.create_database()
    database = Database(url)
    upgrade(database)
    database.close()
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database with all its tables, once on each kind."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'newsletter.db'}"
        database = Database(url)
        upgrade(database)
        database.close()
        yield url
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create_database(request.getfixturevalue("postgres_template"))
    yield url
    server.drop_database(url)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def valkey() -> Iterator[ValkeyServer]:
    with ValkeyServer() as server:
        yield server


@pytest.fixture
def smtp() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


@pytest.fixture(scope="session")
def dovecot() -> Iterator[DovecotServer]:
    if dovecot_server.COMMAND is None:
        pytest.skip(dovecot_server.MISSING)
    with DovecotServer() as server:
        yield server


@pytest.fixture
def maildir(dovecot: DovecotServer) -> Maildir:
    """An empty mailbox of its own, over IMAP and POP3."""
    return dovecot.mailbox()


@pytest.fixture
def now() -> datetime:
    """A Friday morning: Friday 13 March 2026, 07:00 UTC."""
    return NOW
