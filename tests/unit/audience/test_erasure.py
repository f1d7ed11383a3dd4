"""Forgetting a person: nothing says any more who they were, and the books still add up."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from newsletter.audience.digests import lift
from newsletter.audience.erasure import Forgotten, forget
from newsletter.audience.imports import run
from newsletter.audience.suppressions import suppress
from newsletter.db import Database
from newsletter.errors import ConflictError, NotFoundError
from newsletter.models import (
    Base,
    Consent,
    ConsentAction,
    Delivery,
    DeliveryState,
    Event,
    EventKind,
    SignalRecord,
    Subscriber,
    SuppressionReason,
)
from newsletter.sending.prune import keep_receipt, prune_batch
from newsletter.sending.receipt import make_receipt
from newsletter.sending.verify import verify
from tests.factories import DIGEST, EMAILS, NOW, make_list, make_mailing
from tests.servers.smtp import DROP, SmtpServer
from tests.unit.audience.world import load, people, staged, suppressed
from tests.unit.sending.conftest import Post, post

__all__ = ["post"]

ADA, BLAISE, _ = EMAILS


def forgotten(database: Database, email: str = ADA) -> Forgotten:
    with database.write() as session:
        return forget(session, email, DIGEST, NOW)


def said_anywhere(database: Database, words: str) -> list[str]:
    """The tables that hold these words in any of their columns."""
    found = []
    with database.read() as session:
        for table in Base.metadata.sorted_tables:
            if any(words in str(row) for row in session.execute(select(table))):
                found.append(table.name)
    return found


@pytest.fixture
def sent(post: Post, smtp: SmtpServer) -> int:
    smtp.refuse[ADA] = f"550 5.1.1 <{ADA}>: no such user"
    smtp.refuse_data[BLAISE] = DROP
    mailing_id = make_mailing(post.database)
    post.turn()
    with post.database.write() as session:
        for delivery in session.scalars(select(Delivery)).all():
            common = {"mailing_id": mailing_id, "delivery_id": delivery.id, "occurred_at": NOW}
            for number in range(2):
                source = f"{delivery.id}-{number}"
                session.add(Event(**common, kind=EventKind.OPEN, ip="192.0.2.1", source=source))
            session.add(
                SignalRecord(
                    **common,
                    subscriber_id=delivery.subscriber_id,
                    via="mail",
                    kind="bounce",
                    severity="hard",
                    reason="unknown-user",
                    words=f"<{delivery.email}> is not known",
                    source=str(delivery.id),
                )
            )
            session.add(
                Consent(
                    subscriber_id=delivery.subscriber_id,
                    action=ConsentAction.SIGN_UP,
                    by="reader",
                    at=NOW,
                    wording="the Friday letter",
                    ip="192.0.2.1",
                )
            )
        suppress(session, ADA, SuppressionReason.BOUNCED, "test", NOW)
    return mailing_id


def test_nothing_says_any_more_who_they_were_and_the_receipt_still_verifies(post: Post, sent: int) -> None:
    assert "deliveries" in said_anywhere(post.database, ADA)
    with post.database.read() as session:
        before = make_receipt(session, sent)
    gone = forgotten(post.database)
    assert gone == Forgotten(subscriber=True, deliveries=1, events=2, signals=2, suppressions=1)
    assert said_anywhere(post.database, ADA) == []
    with post.database.read() as session:
        after = make_receipt(session, sent)
        verify(session, after)
    assert after == before


def test_a_row_that_was_forgotten_still_cannot_be_changed_unnoticed(post: Post, sent: int) -> None:
    forgotten(post.database)
    with post.database.write() as session:
        session.execute(update(Delivery).where(Delivery.salt.is_(None)).values(state=DeliveryState.SENT))
    with post.database.read() as session, pytest.raises(ConflictError, match=r"the row of forgotten:[0-9a-f]{64} "):
        verify(session, make_receipt(session, sent))


def test_what_was_opened_stays_counted_each_reader_as_one_and_without_a_person(post: Post, sent: int) -> None:
    forgotten(post.database)
    with post.database.read() as session:
        events = session.scalars(select(Event).where(Event.mailing_id == sent, Event.delivery_id.is_(None))).all()
        signals = session.scalars(select(SignalRecord).where(SignalRecord.subscriber_id.is_(None))).all()
    assert len(events) == 2
    assert len({event.reader for event in events}) == 1
    assert [(len(event.reader), event.ip) for event in events] == [(22, None)] * 2
    assert {signal.via for signal in signals} == {"mail", "smtp"}
    assert {(signal.delivery_id, signal.words) for signal in signals} == {(None, "")}


def test_a_receipt_of_a_pruned_mailing_no_longer_names_them(post: Post, sent: int) -> None:
    with post.database.write() as session:
        keep_receipt(session, sent, NOW)
        prune_batch(session, sent)
    forgotten(post.database, BLAISE)
    assert said_anywhere(post.database, BLAISE) == []
    with post.database.read() as session:
        assert make_receipt(session, sent).uncertain == ("forgotten",)


@pytest.mark.usefixtures("sent")
def test_others_are_left_as_they_are(post: Post) -> None:
    before = people(post.database)
    forgotten(post.database)
    del before[ADA]
    assert people(post.database) == before


def test_the_number_of_somebody_forgotten_is_never_given_again(database: Database) -> None:
    make_mailing(database)
    with database.read() as session:
        numbers = set(session.scalars(select(Subscriber.id)))
    for email in EMAILS:
        forgotten(database, email)
    load(database, "email\nnew@example.org\n")
    with database.read() as session:
        assert not numbers & set(session.scalars(select(Subscriber.id)))


def test_whoever_is_still_to_be_written_to_is_not_and_the_mailing_closes(post: Post) -> None:
    mailing_id = make_mailing(post.database)
    forgotten(post.database)
    post.turn()
    with post.database.read() as session:
        receipt = make_receipt(session, mailing_id)
        verify(session, receipt)
    assert receipt.outcomes == {DeliveryState.SUPPRESSED: 1, DeliveryState.SENT: 2}
    assert said_anywhere(post.database, ADA) == []


def test_while_a_message_to_them_is_on_its_way_they_are_asked_to_wait(database: Database) -> None:
    make_mailing(database)
    with database.write() as session:
        session.execute(update(Delivery).values(state=DeliveryState.CLAIMED))
    with pytest.raises(ConflictError, match="is on its way: try again in a minute"):
        forgotten(database)
    assert ADA in people(database)


def test_an_address_nobody_knows_cannot_be_forgotten(database: Database) -> None:
    with pytest.raises(NotFoundError, match=r"nothing is known of nobody@example\.org"):
        forgotten(database, "nobody@example.org")


@pytest.mark.parametrize("status", ["subscribed", "unsubscribed"])
def test_no_import_brings_them_back_whatever_it_says_and_the_report_tells(database: Database, status: str) -> None:
    make_mailing(database)
    forgotten(database)
    _, report = load(database, f"email,status\nADA@Example.org,{status}\nnew@example.org,{status}\n")
    assert (report.erased, report.rows) == (1, 2)
    assert [(row.line, row.words) for row in report.samples["erased"]] == [(2, "erased at their own wish")]
    assert "ADA" not in str(people(database)) + str(suppressed(database))
    assert said_anywhere(database, "ADA@") == []


def test_rows_of_an_import_that_waits_are_forgotten_too(database: Database) -> None:
    with database.write() as session:
        make_list(session)
    number = staged(database, f"email\n{ADA}\nbea@example.org\n")
    assert forgotten(database).staged == 1
    report = run(database.write, number, NOW)
    assert (report.added, list(people(database))) == (1, ["bea@example.org"])


def test_samples_of_old_imports_no_longer_name_them(database: Database) -> None:
    with database.write() as session:
        make_list(session)
    load(database, f"email\n{ADA}\nbea@example.org\n")
    forgotten(database)
    assert said_anywhere(database, ADA) == []


def test_whoever_comes_back_by_themselves_may_be_imported_again(database: Database) -> None:
    make_mailing(database)
    forgotten(database)
    with database.write() as session:
        assert lift(session, DIGEST(ADA))
        assert not lift(session, DIGEST(ADA))
    _, report = load(database, f"email\n{ADA}\n")
    assert (report.added, report.erased) == (1, 0)
