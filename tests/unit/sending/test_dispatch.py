from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from newsletter.db import Database
from newsletter.models import Batch, Delivery, DeliveryState, Mailing, Subscriber
from newsletter.sending import ledger
from newsletter.sending import plan as planning
from newsletter.sending.dispatch import Dispatcher
from newsletter.sending.plan import plan
from tests.factories import EMAILS, NOW, make_mailing
from tests.servers.smtp import SmtpServer
from tests.unit.sending.conftest import Post, make_account


def test_a_small_mailing_is_not_stuck_behind_a_large_one(
    database: Database, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planning, "BATCH_SIZE", 5)
    large = make_mailing(database, [f"reader{number}@example.org" for number in range(100)], slug="large")
    small = make_mailing(database, [f"reader{number}@example.org" for number in range(10)], slug="small")
    dispatcher = Dispatcher([make_account(smtp)])
    order = []
    for number in range(5):
        with database.write() as session:
            now = NOW + timedelta(seconds=number)
            work = dispatcher.next_work(session, "worker", now)
            assert work is not None
            order.append(work.taken.mailing_id)
    assert order == [large, small, large, small, large]


def test_nothing_leaves_outside_a_mailings_window(post: Post, smtp: SmtpServer) -> None:
    # Friday 08:00 in Brussels.
    mailing_id = make_mailing(post.database)
    with post.database.write() as session:
        session.execute(update(Mailing).values(window="mon-fri 09:00-17:00"))
    post.turn()
    assert smtp.messages == []
    post.now = NOW + timedelta(hours=1)
    post.turn()
    assert set(post.states(mailing_id).values()) == {DeliveryState.SENT}


def test_a_sweep_counts_what_could_be_taken_and_nothing_else(database: Database, smtp: SmtpServer) -> None:
    dispatcher = Dispatcher([make_account(smtp)])
    mailing_id = make_mailing(database)
    with database.write() as session:
        assert dispatcher.waiting(session, NOW, limit=16) == 1
        assert dispatcher.waiting(session, NOW - timedelta(seconds=1), limit=16) == 0
        ledger.take(session, mailing_id, "worker", NOW)
        assert dispatcher.waiting(session, NOW, limit=16) == 0


def in_zones(database: Database, zones: dict[str, str | None], local_time: str, now: datetime) -> dict[str, datetime]:
    """When each recipient's batch is due, in a mailing by the hour of each one's own clock."""
    mailing_id = make_mailing(database, zones, planned=False)
    with database.write() as session:
        for email, zone in zones.items():
            session.execute(update(Subscriber).where(Subscriber.email == email).values(timezone=zone or ""))
        session.execute(update(Mailing).values(local_time=local_time, due_at=now))
    with database.write() as session:
        assert plan(session, mailing_id, now)
        rows = session.execute(
            select(Delivery.email, Batch.due_at).join(Batch, Delivery.id.between(Batch.first_id, Batch.last_id))
        )
        return {email: due_at for email, due_at in rows if due_at}


def test_everyone_is_due_at_the_hour_of_their_own_clock(database: Database) -> None:
    due = in_zones(
        database,
        {
            "ada@example.org": "Europe/Brussels",
            "blaise@example.org": "America/New_York",
            "chloe@example.org": "Asia/Kathmandu",
            "dora@example.org": None,
            "emil@example.org": "Middle/Earth",
            "fay@example.org": "../../etc/passwd",
        },
        "09:00",
        NOW,
    )
    brussels = datetime(2026, 3, 13, 8, tzinfo=UTC)
    assert due == {
        "ada@example.org": brussels,
        "blaise@example.org": datetime(2026, 3, 13, 13, tzinfo=UTC),
        "chloe@example.org": datetime(2026, 3, 14, 3, 15, tzinfo=UTC),
        "dora@example.org": brussels,
        "emil@example.org": brussels,
        "fay@example.org": brussels,
    }


def test_a_mailing_by_local_time_leaves_cohort_by_cohort(post: Post, smtp: SmtpServer) -> None:
    zones = {EMAILS[0]: "Europe/Brussels", EMAILS[1]: "America/New_York"}
    in_zones(post.database, dict(zones), "09:00", NOW)
    for hours, arrived in ((0, 0), (1, 1), (5, 1), (6, 2)):
        post.now = NOW + timedelta(hours=hours)
        post.turn()
        assert len(smtp.messages) == arrived
