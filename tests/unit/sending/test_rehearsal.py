from __future__ import annotations

import tracemalloc
from collections.abc import Iterable

import pytest
from sqlalchemy import func, insert, select

from newsletter.audience.suppressions import suppress
from newsletter.db import Database
from newsletter.errors import UnavailableError
from newsletter.mail.session import Features
from newsletter.models import (
    Delivery,
    List,
    Mailing,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    SuppressionReason,
)
from newsletter.sending import rehearsal
from newsletter.sending.builders import load_builder
from newsletter.sending.rehearsal import Rehearsal, ask_features, rehearse
from newsletter.smtp_url import SmtpAccount
from newsletter.tracking.tokens import Tokens
from tests.factories import BASE_URL, EMAILS, NOW, SECRET, make_mailing
from tests.servers.chaos_sink import ChaosSink
from tests.servers.smtp import SmtpServer

TAKES_ALL = Features(pipelining=True, chunking=True, smtputf8=True, size=None)
ASCII_ONLY = Features(pipelining=True, chunking=True, smtputf8=False, size=None)
SMALL = Features(pipelining=True, chunking=True, smtputf8=True, size=20_000)


def play(database: Database, servers: Iterable[Features] = (TAKES_ALL,)) -> Rehearsal:
    """A dry run for the only list there is."""
    with database.read() as session:
        mailing = session.scalars(select(Mailing)).one()
        builder = load_builder(session, mailing.id, BASE_URL, Tokens.of(SECRET.encode()))
        return rehearse(session, mailing.list_id, builder, list(servers), NOW)


def crowd(database: Database, size: int) -> None:
    """So many more people on the list."""
    with database.write() as session:
        list_id = session.scalars(select(List.id)).one()
        last = session.scalar(select(func.max(Subscriber.id))) or 0
        ids = range(last + 1, last + size + 1)
        facts = {"first_name": "", "last_name": "", "attributes": {}, "created_at": NOW}
        joined = {"status": SubscriptionStatus.ACTIVE, "consent": "a test", "subscribed_at": NOW}
        people = [{"id": number, "email": f"reader{number}@example.org", **facts} for number in ids]
        session.execute(insert(Subscriber), people)
        session.execute(insert(Subscription), [{"list_id": list_id, "subscriber_id": one, **joined} for one in ids])


def test_everybody_s_message_is_built_and_measured_and_the_ledger_is_left_alone(database: Database) -> None:
    make_mailing(database, planned=False)
    found = play(database)
    assert (found.audience, found.messages, found.failed, found.failures) == (3, 3, 0, [])
    assert found.bytes > found.largest_bytes > 30_000
    assert found.largest_for == "blaise@example.org"
    assert found.seconds > 0
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Delivery)) == 0


def test_whoever_is_suppressed_is_not_part_of_it(database: Database) -> None:
    make_mailing(database, planned=False)
    with database.write() as session:
        suppress(session, EMAILS[0], SuppressionReason.BOUNCED, "test", NOW)
    assert play(database).audience == 2


def test_a_recipient_outside_ascii_fails_where_the_server_has_no_smtputf8(database: Database) -> None:
    make_mailing(database, ["ada@example.org", "zoé@example.org", "chloe@münchen.example"], planned=False)
    assert play(database).failures == []
    found = play(database, [TAKES_ALL, ASCII_ONLY])
    assert found.failures == [
        ("zoé@example.org", "the server does not take addresses outside ASCII (no SMTPUTF8)"),
    ]
    assert (found.audience, found.messages, found.failed) == (3, 3, 1)


def test_a_message_larger_than_the_server_takes_fails(database: Database) -> None:
    make_mailing(database, planned=False)
    found = play(database, [SMALL])
    assert found.failed == 3
    assert [email for email, _ in found.failures] == list(EMAILS)
    assert all(why.endswith("and the server takes 20000 (SIZE)") for _, why in found.failures)


def test_a_recipient_who_fails_twice_over_counts_once(database: Database) -> None:
    make_mailing(database, ["zoé@example.org"], planned=False)
    assert play(database, [SMALL, ASCII_ONLY]).failed == 1


def test_of_very_many_failures_all_are_counted_and_the_first_kept(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "KEPT_FAILURES", 2)
    make_mailing(database, planned=False)
    found = play(database, [SMALL])
    assert (found.failed, len(found.failures)) == (3, 2)


def test_memory_does_not_grow_with_the_audience(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "ROWS_AT_A_TIME", 100)
    make_mailing(database, planned=False)
    peaks = []
    for more in (1000, 3000):
        crowd(database, more)
        tracemalloc.start()
        assert play(database).failed == 0
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # The rows alone of three thousand more would take more than twice as much, were they kept.
    assert peaks[1] < peaks[0] + 500_000


def test_what_a_server_takes_is_asked_of_it(smtp: SmtpServer) -> None:
    with ChaosSink() as sink:
        sink.behave(size=20_000)
        asked = ask_features(SmtpAccount(sink.host, sink.port))
    assert (asked.size, asked.smtputf8) == (20_000, True)
    assert ask_features(SmtpAccount(smtp.host, smtp.port)).smtputf8


def test_a_server_that_is_away_cannot_be_asked() -> None:
    with pytest.raises(UnavailableError, match="smtp://127\\.0\\.0\\.1:1 cannot be used"):
        ask_features(SmtpAccount("127.0.0.1", 1))
