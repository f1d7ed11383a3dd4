from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.db import Database
from newsletter.mail.transport import SmtpTransport
from newsletter.models import Delivery, DeliveryState
from newsletter.sending.books import Books
from newsletter.sending.builders import load_builder
from newsletter.sending.carrier import Desk
from newsletter.sending.deliver import deliver
from newsletter.sending.dispatch import Dispatcher
from newsletter.sending.draw import Hand, draw
from newsletter.sending.journal import Journal
from newsletter.sending.message import MessageBuilder
from newsletter.sending.sweep import sweep
from newsletter.smtp_accounts import Account, Pace
from newsletter.smtp_url import SmtpAccount
from newsletter.tracking.tokens import Tokens
from tests.factories import BASE_URL, NOW, PATIENCE, SECRET
from tests.servers.chaos_sink import ChaosSink
from tests.servers.smtp import SmtpServer


@dataclass
class Post:
    """One worker, in this process, whose clock (`now`) the test turns."""

    database: Database
    accounts: list[Account]
    now: datetime = NOW
    is_stopping: bool = False
    before_each: Callable[[], None] = lambda: None
    transports: dict[str, SmtpTransport] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.journal = Journal(Path("data"))
        self.books = Books(self.database, self.journal, lambda _: self.now, PATIENCE)
        self.dispatcher = Dispatcher(self.accounts, lambda: 0.0)
        self.desk = Desk(self.books, self._draw, self._builder, self._date, lambda: self.is_stopping)

    def turn(self, seconds: float = 3.0) -> bool:
        """A turn of the worker, and a sweep after it."""
        more = deliver(self.desk, self._transport, seconds)
        with self.database.write() as session:
            sweep(session, self.now, PATIENCE)
        return more

    def states(self, mailing_id: int) -> dict[str, DeliveryState]:
        """The mailing's recipients, each with its state, in the order of the ledger."""
        with self.database.read() as session:
            deliveries = select(Delivery.email, Delivery.state).where(Delivery.mailing_id == mailing_id)
            return dict(session.execute(deliveries.order_by(Delivery.id)).all())

    def close(self) -> None:
        for transport in self.transports.values():
            transport.close()
        self.journal.close()

    def _date(self) -> datetime:
        self.before_each()
        return self.now

    def _draw(self) -> Hand | None:
        with self.books.write() as (session, now):
            return draw(session, self.dispatcher, self.journal.owner, now)

    def _builder(self, mailing_id: int) -> MessageBuilder:
        with self.database.read() as session:
            return load_builder(session, mailing_id, BASE_URL, Tokens.of(SECRET.encode()))

    def _transport(self, account: Account) -> SmtpTransport:
        if account.name not in self.transports:
            self.transports[account.name] = SmtpTransport(account.smtp, timeout_seconds=5)
        return self.transports[account.name]


def make_account(
    smtp: SmtpServer | ChaosSink, name: str = "main", pace: Pace | None = None, weight: int = 1, *from_domains: str
) -> Account:
    """An account on a test's server."""
    return Account(name, SmtpAccount(smtp.host, smtp.port), frozenset(from_domains), weight, 8, pace or Pace())


@pytest.fixture
def post(database: Database, smtp: SmtpServer) -> Iterator[Post]:
    made = Post(database, [make_account(smtp)])
    yield made
    made.close()
