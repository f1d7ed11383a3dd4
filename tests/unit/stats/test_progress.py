from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from newsletter.audience.erasure import forget
from newsletter.db import Database
from newsletter.errors import NotFoundError
from newsletter.models import Delivery, DeliveryState, Mailing, MailingStatus
from newsletter.stats.progress import DOMAINS, DomainProgress, Progress, progress
from tests.factories import DIGEST, EMAILS, NOW, make_mailing

A_MINUTE = timedelta(minutes=1)
READERS = [f"reader{number}@{domain}" for number in range(10) for domain in ("big.example", "small.example")]


def look(database: Database, mailing_id: int, now: datetime = NOW) -> Progress:
    with database.read() as session:
        return progress(session, mailing_id, now)


def settle(database: Database, count: int, state: DeliveryState, at: datetime) -> None:
    """Give the first so many pending deliveries an outcome."""
    with database.write() as session:
        pending = (
            select(Delivery.id).where(Delivery.state == DeliveryState.PENDING).order_by(Delivery.id).limit(count)
        )
        these = Delivery.id.in_(session.scalars(pending).all())
        session.execute(update(Delivery).where(these).values(state=state, settled_at=at))


def change(database: Database, **values: Any) -> None:
    with database.write() as session:
        session.execute(update(Mailing).values(values))


def test_a_mailing_that_has_not_begun_has_no_audience_yet(database: Database) -> None:
    found = look(database, make_mailing(database, planned=False))
    assert (found.status, found.due_at) == (MailingStatus.SCHEDULED, NOW)
    assert (found.audience, found.states, found.settled, found.domains) == (None, {}, 0, ())
    assert (found.rate, found.left) == (None, None)


def test_there_is_no_rate_until_something_was_measured(database: Database) -> None:
    mailing_id = make_mailing(database)
    for now in (NOW, NOW + A_MINUTE):
        found = look(database, mailing_id, now)
        assert (found.rate, found.left) == (None, None)


def test_the_rate_is_that_of_the_last_seconds_and_says_what_is_left(database: Database) -> None:
    mailing_id = make_mailing(database, READERS)
    settle(database, 6, DeliveryState.SENT, NOW + timedelta(seconds=5))
    settle(database, 3, DeliveryState.SENT, NOW + timedelta(seconds=55))
    found = look(database, mailing_id, NOW + A_MINUTE)
    assert found.settled == 9
    assert found.rate == pytest.approx(0.1)
    assert found.left == timedelta(seconds=110)


def test_at_first_the_rate_is_that_since_the_mailing_began(database: Database) -> None:
    mailing_id = make_mailing(database, READERS)
    settle(database, 10, DeliveryState.SENT, NOW + timedelta(seconds=3))
    found = look(database, mailing_id, NOW + timedelta(seconds=5))
    assert found.rate == pytest.approx(2.0)
    assert found.left == timedelta(seconds=5)


def test_those_put_off_are_still_to_come(database: Database) -> None:
    mailing_id = make_mailing(database, READERS)
    settle(database, 10, DeliveryState.SENT, NOW + timedelta(seconds=5))
    with database.write() as session:
        pending = Delivery.state == DeliveryState.PENDING
        session.execute(update(Delivery).where(pending).values(state=DeliveryState.DEFERRED))
    found = look(database, mailing_id, NOW + timedelta(seconds=10))
    assert found.settled == 10
    assert found.left == timedelta(seconds=10)


@pytest.mark.parametrize("status", [MailingStatus.PAUSED, MailingStatus.SENT, MailingStatus.CANCELLED])
def test_a_mailing_that_is_not_being_sent_has_no_rate(database: Database, status: MailingStatus) -> None:
    mailing_id = make_mailing(database)
    settle(database, 2, DeliveryState.SENT, NOW + timedelta(seconds=3))
    change(database, status=status)
    found = look(database, mailing_id, NOW + timedelta(seconds=5))
    assert (found.rate, found.left) == (None, None)


def test_a_clock_that_was_set_back_measures_nothing(database: Database) -> None:
    mailing_id = make_mailing(database)
    settle(database, 2, DeliveryState.SENT, NOW)
    assert look(database, mailing_id, NOW - A_MINUTE).rate is None


def test_recipients_are_counted_by_domain_the_largest_first(database: Database) -> None:
    emails = ["a@small.example", *(f"reader{number}@big.example" for number in range(5)), "zoé@münchen.example"]
    mailing_id = make_mailing(database, emails)
    outcomes = {
        "reader0@big.example": DeliveryState.SENT,
        "reader1@big.example": DeliveryState.REJECTED,
        "reader2@big.example": DeliveryState.UNCERTAIN,
        "reader3@big.example": DeliveryState.DEFERRED,
        "reader4@big.example": DeliveryState.CLAIMED,
        "a@small.example": DeliveryState.SUPPRESSED,
    }
    with database.write() as session:
        for email, state in outcomes.items():
            session.execute(update(Delivery).where(Delivery.email == email).values(state=state))
    assert look(database, mailing_id).domains == (
        DomainProgress("big.example", audience=5, sent=1, open=1, deferred=1, failed=2),
        DomainProgress("münchen.example", audience=1, sent=0, open=1, deferred=0, failed=0),
        DomainProgress("small.example", audience=1, sent=0, open=0, deferred=0, failed=0),
    )


def test_those_who_were_forgotten_are_counted_under_no_domain(database: Database) -> None:
    mailing_id = make_mailing(database, EMAILS)
    with database.write() as session:
        for email in EMAILS[:2]:
            forget(session, email, DIGEST, NOW)
    domains = look(database, mailing_id).domains
    assert [(row.domain, row.audience) for row in domains] == [("", 2), ("example.org", 1)]


def test_of_very_many_domains_only_the_largest_are_counted(database: Database) -> None:
    emails = [f"a@d{number}.example" for number in range(DOMAINS + 3)] + ["b@d10.example"]
    domains = look(database, make_mailing(database, emails)).domains
    assert len(domains) == DOMAINS
    assert domains[0].domain == "d10.example"


def test_another_mailing_is_not_counted(database: Database) -> None:
    make_mailing(database, READERS, slug="one")
    found = look(database, make_mailing(database, slug="two"))
    assert found.states == {DeliveryState.PENDING: len(EMAILS)}
    assert [row.audience for row in found.domains] == [len(EMAILS)]


def test_a_mailing_is_over_once_it_is_finished_and_nobody_is_left(database: Database) -> None:
    mailing_id = make_mailing(database)
    change(database, status=MailingStatus.CANCELLED)
    assert not look(database, mailing_id).is_over
    settle(database, 3, DeliveryState.CANCELLED, NOW)
    assert look(database, mailing_id).is_over


def test_a_mailing_cancelled_before_it_began_is_over(database: Database) -> None:
    mailing_id = make_mailing(database, planned=False)
    assert not look(database, mailing_id).is_over
    change(database, status=MailingStatus.CANCELLED)
    assert look(database, mailing_id).is_over


def test_an_unknown_mailing_is_named(database: Database) -> None:
    with pytest.raises(NotFoundError, match="there is no mailing 56: `newsletter mailing ls` lists them"):
        look(database, 56)
