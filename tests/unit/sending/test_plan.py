from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256

import pytest
from sqlalchemy import select

from newsletter.audience.subscriptions import unsubscribe
from newsletter.audience.suppressions import suppress
from newsletter.db import Database
from newsletter.errors import InputError, NotFoundError
from newsletter.models import (
    Batch,
    Delivery,
    DeliveryState,
    Link,
    Mailing,
    MailingStatus,
    SuppressionReason,
    veiled,
)
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.plan import BATCH_SIZE, plan
from newsletter.sending.receipt import make_receipt
from newsletter.sending.submit import prepare, submit
from newsletter.sending.sweep import due_mailings
from tests.factories import BASE_URL, EMAILS, make_list, make_mailing, make_publication, subscribe_all


def test_planning_freezes_the_audience_with_a_digest(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database)
    with database.read() as session:
        deliveries = session.scalars(select(Delivery).order_by(Delivery.subscriber_id)).all()
        mailing = session.get_one(Mailing, mailing_id)
    lines = "".join(f"{delivery.subscriber_id} {veiled(delivery.email, delivery.salt)}\n" for delivery in deliveries)
    assert [delivery.email for delivery in deliveries] == list(EMAILS)
    assert {delivery.state for delivery in deliveries} == {DeliveryState.PENDING}
    assert (mailing.audience_size, mailing.audience_digest) == (3, sha256(lines.encode()).hexdigest())
    assert (mailing.status, mailing.started_at) == (MailingStatus.SENDING, now)


def test_planning_twice_changes_nothing(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session:
        assert not plan(session, mailing_id, now)
        assert len(session.scalars(select(Delivery)).all()) == len(EMAILS)


def test_nothing_is_planned_before_its_time(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database, planned=False)
    early = now - timedelta(seconds=1)
    with database.write() as session:
        assert due_mailings(session, early) == []
        assert not plan(session, mailing_id, early)
        assert due_mailings(session, now) == [mailing_id]
        assert plan(session, mailing_id, now)


def test_who_left_or_is_suppressed_is_not_in_the_audience(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database, planned=False)
    with database.write() as session:
        mailing = session.get_one(Mailing, mailing_id)
        suppress(session, EMAILS[0], SuppressionReason.BOUNCED, "test", now)
        unsubscribe(session, mailing.list_id, subscriber_id=2, now=now)
        plan(session, mailing_id, now)
    with database.read() as session:
        assert list(session.scalars(select(Delivery.email))) == [EMAILS[2]]


def test_batches_cover_every_delivery_once_and_are_small(database: Database, now: datetime) -> None:
    emails = [f"reader{number}@example.org" for number in range(2 * BATCH_SIZE + 1)]
    mailing_id = make_mailing(database, emails, planned=False)
    with database.write() as session:
        plan(session, mailing_id, now)
        batches = session.scalars(select(Batch).order_by(Batch.id)).all()
        ids = list(session.scalars(select(Delivery.id).order_by(Delivery.id)))
    covered = [one for batch in batches for one in ids if batch.first_id <= one <= batch.last_id]
    assert len(batches) == 3
    assert covered == ids
    assert [batch.size for batch in batches] == [BATCH_SIZE, BATCH_SIZE, 1]


def test_an_empty_list_is_refused_before_anything_is_scheduled(database: Database, now: datetime) -> None:
    with database.write() as session:
        make_list(session)
    with pytest.raises(InputError, match="nobody is on the list “vendredi”"), database.write() as session:
        submit(session, prepare(session, SAMPLE_ISSUE, "vendredi", base_url=BASE_URL), due_at=now, now=now)
    with database.read() as session:
        assert session.scalars(select(Mailing)).all() == []


def test_sending_an_issue_twice_keeps_its_text_once_and_makes_two_mailings(database: Database, now: datetime) -> None:
    with database.write() as session:
        subscribe_all(session, make_list(session, make_publication(session)), [("ada@example.org", "Ada")])
        first, second = (
            submit(
                session, prepare(session, SAMPLE_ISSUE, "vendredi", base_url=BASE_URL), due_at=now, now=now
            ).mailing
            for _ in range(2)
        )
        assert first.id != second.id
        assert first.revision_id == second.revision_id


def test_the_links_of_an_issue_are_kept_with_the_mailing(database: Database) -> None:
    mailing_id = make_mailing(database)
    with database.read() as session:
        links = session.execute(select(Link.number, Link.url).where(Link.mailing_id == mailing_id)).all()
    assert [number for number, _ in links] == list(range(1, len(links) + 1))
    assert all(url.startswith("https://") for _, url in links)


def test_a_mailing_that_has_not_begun_has_no_receipt(database: Database) -> None:
    mailing_id = make_mailing(database, planned=False)
    with database.read() as session, pytest.raises(NotFoundError, match="has not begun"):
        make_receipt(session, mailing_id)


def test_a_mailing_that_does_not_exist_has_no_receipt(database: Database) -> None:
    with database.read() as session, pytest.raises(NotFoundError, match=r"^there is no mailing 56: "):
        make_receipt(session, 56)


def test_a_receipt_adds_up_only_when_nobody_is_open(database: Database) -> None:
    mailing_id = make_mailing(database)
    with database.read() as session:
        receipt = make_receipt(session, mailing_id)
    assert receipt.outcomes == {DeliveryState.PENDING: 3}
    assert not receipt.adds_up
