"""The web application with one mailing that is being sent, and what its recipients' tokens are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.models import Delivery
from newsletter.models.base import Base
from newsletter.queue import make_redis
from newsletter.tracking.buffer import EventBuffer
from newsletter.tracking.tokens import Tokens
from newsletter.web.app import make_app
from tests.factories import BASE_URL, SECRET, make_mailing
from tests.servers.valkey import ValkeyServer


@dataclass(frozen=True, slots=True)
class Sent:
    """A mailing and the tokens in its first recipient's message."""

    mailing_id: int
    delivery_id: int

    @property
    def opens(self) -> str:
        return TOKENS.opens.seal(self.mailing_id, self.delivery_id)

    @property
    def clicks(self) -> str:
        return TOKENS.clicks.seal(self.mailing_id, self.delivery_id)

    @property
    def unsubscribes(self) -> str:
        return TOKENS.unsubscribes.seal(self.mailing_id, self.delivery_id)


TOKENS = Tokens.of(SECRET.encode())
BAD_TOKENS = (
    "x",
    "-",
    "%20",
    "%00",
    "é",
    "A" * 31,
    "A" * 32,
    "A" * 5000,
    "=" * 32,
    "..",
    Tokens.of(b"somebody else's key, 32 bytes long").opens.seal(1, 1),
    Tokens.of(b"somebody else's key, 32 bytes long").clicks.seal(1, 1),
    Tokens.of(b"somebody else's key, 32 bytes long").unsubscribes.seal(1, 1),
)


@pytest.fixture
def settings(database_url: str, valkey: ValkeyServer) -> Settings:
    return load_settings(database_url=database_url, broker_url=valkey.url, secret_key=SECRET, base_url=BASE_URL)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    yield from serving(settings)


def serving(settings: Settings, outbox: Path | None = None) -> Iterator[TestClient]:
    """A client that follows no redirects; the application's connections are given back at the end."""
    app = make_app(settings, outbox)
    with TestClient(app, follow_redirects=False) as client:
        yield client
    app.state.newsletter.database.close()


@pytest.fixture
def sent(database: Database) -> Sent:
    return first_of(database, make_mailing(database))


def first_of(database: Database, mailing_id: int) -> Sent:
    with database.read() as session:
        delivery = select(Delivery.id).where(Delivery.mailing_id == mailing_id).order_by(Delivery.id)
        return Sent(mailing_id, session.scalars(delivery).first() or 0)


def rows(database: Database) -> dict[str, list[Any]]:
    """Everything in the database, by table."""
    with database.read() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
        }


@pytest.fixture
def buffer(settings: Settings) -> Iterator[EventBuffer]:
    """The events that wait to be flushed."""
    redis = make_redis(settings)
    yield EventBuffer(redis)
    redis.close()
