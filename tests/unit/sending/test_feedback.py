"""What sending knows of what comes back: senders that name the delivery, refusals that count, bounces of a canary."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from newsletter.db import Database
from newsletter.feedback.record import apply
from newsletter.feedback.signal import Kind, Reason, Severity, Signal
from newsletter.feedback.trace import Traces
from newsletter.mail.outcome import Outcome, Verdict
from newsletter.mail.verp import Verp
from newsletter.models import Delivery, DeliveryState, Mailing, MailingStatus, SignalRecord, Suppression
from newsletter.sending.builders import load_builder
from newsletter.sending.canary import judge_canaries
from newsletter.sending.message import Addressee
from newsletter.sending.settle import Settlement, settle
from newsletter.tracking.tokens import Tokens
from tests.factories import BASE_URL, NOW, PATIENCE, SECRET, SOFT_BOUNCES, make_mailing

MAILBOX = "bounces@hebdo.example"


def delivery_ids(database: Database, mailing_id: int) -> list[int]:
    with database.read() as session:
        of_mailing = select(Delivery.id).where(Delivery.mailing_id == mailing_id)
        return list(session.scalars(of_mailing.order_by(Delivery.id)))


def test_each_message_leaves_with_a_sender_that_names_its_delivery(database: Database) -> None:
    mailing_id = make_mailing(database)
    verp = Verp(SECRET.encode(), MAILBOX)
    tokens = Tokens.of(SECRET.encode())
    with database.read() as session:
        builder = load_builder(session, mailing_id, BASE_URL, tokens, (), verp)
        plain = load_builder(session, mailing_id, BASE_URL, tokens)
    ada = Addressee(7, "ada@example.org", "Ada", "", {})
    opened = verp.open(builder.build(ada, NOW).mail_from)
    assert opened is not None
    assert (opened.mailing_id, opened.delivery_id) == (mailing_id, 7)
    assert plain.build(ada, NOW).mail_from == "redaction@hebdo-vendredi.example"


def test_a_refused_recipient_is_a_signal_and_a_dead_address_is_suppressed(database: Database) -> None:
    mailing_id = make_mailing(database)
    replies = ("550 5.1.1 no such user", "552 5.2.2 mailbox full", "550 5.7.1 message content rejected as spam")
    ids = delivery_ids(database, mailing_id)
    outcomes = [
        Settlement(delivery_id, 1, None, Outcome(Verdict.REJECTED, reply))
        for delivery_id, reply in zip(ids, replies, strict=True)
    ]
    with database.write() as session:
        session.execute(update(Delivery).values(state=DeliveryState.CLAIMED, claimed_by="me", attempts=1))
    for _ in range(2):
        with database.write() as session:
            settle(session, outcomes, "me", NOW, PATIENCE)
    with database.read() as session:
        kept = session.execute(select(SignalRecord.delivery_id, SignalRecord.severity, SignalRecord.via)).all()
        suppressed = session.execute(select(Suppression.address, Suppression.source)).all()
    assert [tuple(row) for row in kept] == [(ids[0], "hard", "smtp"), (ids[1], "soft", "smtp")]
    assert [tuple(row) for row in suppressed] == [("ada@example.org", "smtp: 550 5.1.1 no such user")]


def test_a_canary_is_judged_by_the_bounces_that_came_back_too(database: Database) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session:
        session.execute(update(Delivery).values(state=DeliveryState.SENT, settled_at=NOW))
        session.execute(update(Mailing).values(status=MailingStatus.SENDING, canary=3))
        told = Signal(Kind.BOUNCE, Severity.SOFT, Reason.POLICY, "ada@example.org", words="550 5.7.1 blocked")
        soon = NOW + timedelta(minutes=5)
        assert apply(session, [told], "mail", Traces(SECRET.encode(), None), soon, SOFT_BOUNCES).new == [told]
        judge_canaries(session, soon)
    with database.read() as session:
        mailing = session.get_one(Mailing, mailing_id)
    assert mailing.status is MailingStatus.PAUSED
    assert mailing.pause_reason == "of the first 3, 1 were refused: 550 5.7.1 blocked"
