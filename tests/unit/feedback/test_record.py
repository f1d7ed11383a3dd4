from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from newsletter.audience.suppressions import release
from newsletter.db import Database
from newsletter.feedback.counts import counts
from newsletter.feedback.record import Applied, apply, apply_mail
from newsletter.feedback.signal import Kind, Reason, Severity, Signal
from newsletter.feedback.trace import Traces
from newsletter.mail.verp import Verp
from newsletter.models import (
    Consent,
    Delivery,
    DeliveryState,
    SignalRecord,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)
from newsletter.tracking.tokens import Tokens
from tests.factories import NOW, SECRET, SOFT_BOUNCES, make_mailing
from tests.unit.feedback.letters import feedback, letter, report

MAILBOX = "bounces@hebdo.example"
TRACES = Traces(SECRET.encode(), MAILBOX)
VERP = Verp(SECRET.encode(), MAILBOX)
ADA = "ada@example.org"
SOON = NOW + timedelta(hours=1)
HARD = Signal(Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER, ADA, status="5.1.1", words="550 5.1.1 gone")
SOFT = Signal(Kind.BOUNCE, Severity.SOFT, Reason.FULL, ADA, status="4.2.2", words="452 4.2.2 full")
COMPLAINT = Signal(Kind.COMPLAINT, Severity.HARD, Reason.ABUSE, ADA, words="abuse")
WISH = Signal(Kind.UNSUBSCRIBE, Severity.HARD, Reason.OPT_OUT, ADA)
ANSWER = Signal(Kind.AUTO_REPLY, Severity.SOFT, Reason.OTHER, ADA, words="Out of office")
DSN = "Final-Recipient: rfc822; ada@example.org\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 gone"


def mail_all(database: Database, slug: str = "vendredi", at: datetime = NOW) -> int:
    """A mailing that every recipient's server took."""
    mailing_id = make_mailing(database, slug=slug)
    with database.write() as session:
        session.execute(
            update(Delivery)
            .where(Delivery.mailing_id == mailing_id)
            .values(state=DeliveryState.SENT, settled_at=at, due_at=None)
        )
    return mailing_id


def token(database: Database, mailing_id: int, email: str = ADA) -> str:
    """The Message-ID's token of somebody's message."""
    return Tokens.of(SECRET.encode()).seal(mailing_id, delivery_of(database, mailing_id, email))[3]


def delivery_of(database: Database, mailing_id: int, email: str = ADA) -> int:
    with database.read() as session:
        wanted = Delivery.mailing_id == mailing_id, Delivery.email == email
        return session.scalars(select(Delivery.id).where(*wanted)).one()


def tell(
    database: Database, *signals: Signal, via: str = "mail", now: datetime = SOON, soft_bounces: int = SOFT_BOUNCES
) -> int:
    with database.write() as session:
        return len(apply(session, signals, via, TRACES, now, soft_bounces).new)


def suppressed(database: Database) -> dict[str, SuppressionReason]:
    with database.read() as session:
        return dict(session.execute(select(Suppression.address, Suppression.reason)).all())


def counted(database: Database) -> dict[tuple[str, str], int]:
    with database.read() as session:
        return {(one.via, one.outcome): one.signals for one in counts(session)}


def unsubscribed(database: Database) -> list[str]:
    with database.read() as session:
        return list(
            session.scalars(
                select(Subscriber.email)
                .join(Subscription, Subscription.subscriber_id == Subscriber.id)
                .where(Subscription.status == SubscriptionStatus.UNSUBSCRIBED)
            )
        )


def test_a_hard_bounce_suppresses_at_once_in_the_servers_words(database: Database) -> None:
    mailing_id = mail_all(database)
    assert tell(database, replace(HARD, token=token(database, mailing_id))) == 1
    with database.read() as session:
        found = session.scalars(select(Suppression)).one()
        kept = session.scalars(select(SignalRecord)).one()
    assert (found.address, found.reason, found.source) == (ADA, SuppressionReason.BOUNCED, "mail: 550 5.1.1 gone")
    assert found.expires_at is None
    assert (kept.delivery_id, kept.reason) == (delivery_of(database, mailing_id), "unknown-user")
    assert unsubscribed(database) == []


def test_the_token_says_whose_it_is_and_not_the_address(database: Database) -> None:
    mailing_id = mail_all(database)
    tell(database, replace(HARD, address="chloe@example.org", token=token(database, mailing_id)))
    assert set(suppressed(database)) == {ADA}


def test_an_envelope_names_the_delivery(database: Database) -> None:
    mailing_id = mail_all(database)
    to = VERP.seal(mailing_id, delivery_of(database, mailing_id, "blaise@example.org"))
    with database.write() as session:
        assert len(apply_mail(session, report(DSN), to.upper(), TRACES, SOON, SOFT_BOUNCES).new) == 1
    assert set(suppressed(database)) == {"blaise@example.org"}


def test_a_complaint_suppresses_and_unsubscribes_with_its_trail(database: Database) -> None:
    mailing_id = mail_all(database)
    to = VERP.seal(mailing_id, delivery_of(database, mailing_id))
    with database.write() as session:
        apply_mail(
            session, feedback(f"Feedback-Type: abuse\nOriginal-Rcpt-To: {ADA}"), to, TRACES, SOON, SOFT_BOUNCES
        )
    assert suppressed(database) == {ADA: SuppressionReason.COMPLAINED}
    assert unsubscribed(database) == [ADA]
    with database.read() as session:
        trail = [one for one in session.scalars(select(Consent)) if one.action == "unsubscribe"]
    assert [(one.by, one.wording) for one in trail] == [("mail", "mail: abuse")]


def test_a_wish_unsubscribes_and_suppresses_nobody(database: Database) -> None:
    mail_all(database)
    tell(database, WISH, via="postmark")
    assert unsubscribed(database) == [ADA]
    assert suppressed(database) == {}


@pytest.mark.parametrize(
    "signal", [ANSWER, replace(COMPLAINT, reason=Reason.AUTHENTICATION), replace(SOFT, delayed=True)]
)
def test_answers_and_reports_of_delay_change_nobody(database: Database, signal: Signal) -> None:
    mailing_id = mail_all(database)
    assert tell(database, replace(signal, token=token(database, mailing_id)), soft_bounces=1) == 1
    assert (suppressed(database), unsubscribed(database)) == ({}, [])


def test_delays_of_messages_that_arrive_make_no_row_of_bounces(database: Database) -> None:
    for mailing_id in (mailings := issues(database, 3)):
        tell(database, replace(SOFT, token=token(database, mailing_id), delayed=True), soft_bounces=2)
    tell(database, replace(SOFT, token=token(database, mailings[-1])), soft_bounces=2)
    assert suppressed(database) == {}


def bounce_softly(database: Database, *mailings: int, reason: Reason = Reason.FULL, now: datetime = SOON) -> None:
    for mailing_id in mailings:
        tell(database, replace(SOFT, reason=reason, token=token(database, mailing_id)), soft_bounces=3, now=now)


def issues(database: Database, number: int) -> list[int]:
    return [mail_all(database, f"week-{week}", NOW + timedelta(weeks=week)) for week in range(number)]


def test_soft_bounces_suppress_after_a_row_of_issues_and_a_full_mailbox_for_a_while(database: Database) -> None:
    mailings = issues(database, 3)
    bounce_softly(database, *mailings[:2], mailings[1])
    assert suppressed(database) == {}
    bounce_softly(database, mailings[2])
    with database.read() as session:
        found = session.scalars(select(Suppression)).one()
    assert (found.reason, found.expires_at) == (SuppressionReason.BOUNCED, SOON + timedelta(days=90))


def test_an_issue_that_arrives_begins_the_row_anew(database: Database) -> None:
    mailings = issues(database, 4)
    bounce_softly(database, mailings[0], mailings[1], mailings[3])
    assert suppressed(database) == {}


def test_what_is_our_fault_neither_counts_nor_begins_anew(database: Database) -> None:
    mailings = issues(database, 4)
    bounce_softly(database, mailings[0])
    bounce_softly(database, mailings[1], mailings[2], reason=Reason.POLICY)
    assert suppressed(database) == {}
    bounce_softly(database, mailings[3])
    assert suppressed(database) == {}
    mailings.append(mail_all(database, "last", NOW + timedelta(weeks=9)))
    bounce_softly(database, mailings[4], reason=Reason.INACTIVE)
    assert set(suppressed(database)) == {ADA}


def test_a_replay_is_counted_and_changes_nothing(database: Database) -> None:
    told = replace(HARD, token=token(database, mail_all(database)), event="<m1@mx.example>")
    tell(database, told)
    with database.write() as session:
        release(session, ADA)
    assert tell(database, told, told) == 0
    assert suppressed(database) == {}
    assert counted(database) == {("mail", "replayed"): 2}


@pytest.mark.parametrize("signal", [HARD, COMPLAINT, WISH])
def test_whoever_we_did_not_mail_lately_is_left_alone_and_counted(database: Database, signal: Signal) -> None:
    mail_all(database, at=NOW - timedelta(days=60))
    tell(database, signal, replace(signal, address="stranger@example.org"), replace(signal, address="\n"), via="ses")
    assert (suppressed(database), unsubscribed(database)) == ({}, [])
    assert counted(database) == {("ses", "unknown"): 3}


@pytest.mark.parametrize("signal", [HARD, COMPLAINT, WISH])
def test_mail_without_our_token_suppresses_nobody_at_once(database: Database, signal: Signal) -> None:
    mail_all(database)
    tell(database, signal, replace(signal, token="A" * 32, event="other"))
    assert (suppressed(database), unsubscribed(database)) == ({}, [])


def test_a_verified_service_may_name_the_address_alone(database: Database) -> None:
    mail_all(database)
    tell(database, replace(HARD, token="0100019abc"), via="ses")
    assert set(suppressed(database)) == {ADA}


def test_a_letter_to_the_mailbox_is_counted(database: Database) -> None:
    with database.write() as session:
        human = letter("Hello.", **{"from": ADA, "subject": "Hi"})
        assert apply_mail(session, human, MAILBOX, TRACES, SOON, SOFT_BOUNCES) == Applied()
    assert counted(database) == {("mail", "unread"): 1}
