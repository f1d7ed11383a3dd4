from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.db import Database
from newsletter.mail.transport import SmtpTransport
from newsletter.models import Delivery, DeliveryState, Mailing, MailingStatus
from newsletter.sending.deliver import deliver, load_builder
from newsletter.sending.journal import Journal
from newsletter.sending.message import MessageBuilder
from newsletter.sending.plan import due_batches
from newsletter.sending.receipt import make_receipt
from newsletter.smtp_url import SmtpAccount
from newsletter.tracking.tokens import Tokens
from tests.factories import BASE_URL, EMAILS, SECRET, make_mailing
from tests.servers.smtp import DROP, SmtpServer


@pytest.fixture
def transport(smtp: SmtpServer) -> Iterator[SmtpTransport]:
    with SmtpTransport(SmtpAccount(smtp.host, smtp.port), timeout_seconds=5) as opened:
        yield opened


@pytest.fixture
def builders(database: Database) -> Callable[[int], MessageBuilder]:
    def load(mailing_id: int) -> MessageBuilder:
        with database.read() as session:
            return load_builder(session, mailing_id, BASE_URL, Tokens.of(SECRET.encode()))

    return load


def run(
    database: Database,
    mailing_id: int,
    transport: SmtpTransport,
    builders: Callable[[int], MessageBuilder],
    now: datetime,
) -> dict[str, DeliveryState]:
    with database.read() as session:
        batches = due_batches(session, mailing_id, now)
    for batch in batches:
        journal = Journal(Path("data"))
        deliver(database, batch, transport, builders, journal, lambda: now)
        journal.close()
    with database.read() as session:
        deliveries = select(Delivery.email, Delivery.state).where(Delivery.mailing_id == mailing_id)
        return dict(session.execute(deliveries.order_by(Delivery.id)).all())


def test_every_recipient_gets_one_message_and_the_mailing_closes(
    database: Database,
    smtp: SmtpServer,
    transport: SmtpTransport,
    builders: Callable[[int], MessageBuilder],
    now: datetime,
) -> None:
    mailing_id = make_mailing(database)
    states = run(database, mailing_id, transport, builders, now)
    assert set(states.values()) == {DeliveryState.SENT}
    assert sorted(recipients for _, recipients, _ in smtp.messages) == [[email] for email in EMAILS]
    with database.read() as session:
        assert session.get_one(Mailing, mailing_id).status is MailingStatus.SENT
        receipt = make_receipt(session, mailing_id)
    assert receipt.adds_up
    assert receipt.is_closed


def test_one_refused_recipient_does_not_hold_up_the_others(
    database: Database,
    smtp: SmtpServer,
    transport: SmtpTransport,
    builders: Callable[[int], MessageBuilder],
    now: datetime,
) -> None:
    smtp.refuse[EMAILS[0]] = "550 5.1.1 no such user"
    smtp.refuse[EMAILS[1]] = "451 4.7.1 try later"
    mailing_id = make_mailing(database)
    states = run(database, mailing_id, transport, builders, now)
    assert list(states.values()) == [DeliveryState.REJECTED, DeliveryState.DEFERRED, DeliveryState.SENT]
    with database.read() as session:
        replies = list(session.scalars(select(Delivery.reply).order_by(Delivery.id)))
        assert session.get_one(Mailing, mailing_id).status is MailingStatus.SENDING
    assert replies[:2] == ["550 5.1.1 no such user", "451 4.7.1 try later"]


def test_a_connection_lost_before_the_reply_leaves_that_one_uncertain_and_sends_the_rest(
    database: Database,
    smtp: SmtpServer,
    transport: SmtpTransport,
    builders: Callable[[int], MessageBuilder],
    now: datetime,
) -> None:
    smtp.refuse_data[EMAILS[1]] = DROP
    states = run(database, make_mailing(database), transport, builders, now)
    assert list(states.values()) == [DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.SENT]


def test_a_server_that_is_away_defers_everyone_and_loses_nobody(
    database: Database, builders: Callable[[int], MessageBuilder], now: datetime, smtp: SmtpServer
) -> None:
    smtp.__exit__(None, None, None)
    with SmtpTransport(SmtpAccount(smtp.host, smtp.port), timeout_seconds=5) as transport:
        states = run(database, make_mailing(database), transport, builders, now)
    smtp.__enter__()
    assert set(states.values()) == {DeliveryState.DEFERRED}
