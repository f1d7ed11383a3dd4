"""Readers who may not be tracked, though their message was made when they might."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update

from newsletter.db import Database
from newsletter.models import Delivery, Event, EventKind, Publication, Subscriber, Tracking
from newsletter.tracking.buffer import Noted
from newsletter.tracking.flush import flush
from tests.factories import make_mailing


def opened(database: Database, mailing_id: int) -> list[Noted]:
    """An open by everyone a mailing went to."""
    with database.read() as session:
        found = session.scalars(select(Delivery.id).where(Delivery.mailing_id == mailing_id)).all()
    return [
        Noted(f"177339600000{place}-0", EventKind.OPEN, mailing_id, delivery_id, None, "Browser", "192.0.2.1", "GET")
        for place, delivery_id in enumerate(found)
    ]


def kept(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(Event)) or 0


def test_what_a_message_tells_of_somebody_who_has_withdrawn_since_is_not_kept(database: Database) -> None:
    events = opened(database, make_mailing(database))
    with database.write() as session:
        session.execute(update(Subscriber).where(Subscriber.email == "ada@example.org").values(tracking=Tracking.OFF))
        flush(session, events)
    assert kept(database) == len(events) - 1


@pytest.mark.parametrize(("chosen", "expected"), [(None, 0), (Tracking.INDIVIDUAL, 1)])
def test_a_readers_own_choice_goes_before_the_publications(
    database: Database, chosen: Tracking | None, expected: int
) -> None:
    events = opened(database, make_mailing(database))
    with database.write() as session:
        session.execute(update(Publication).values(tracking=Tracking.OFF))
        session.execute(update(Subscriber).where(Subscriber.email == "ada@example.org").values(tracking=chosen))
        flush(session, events)
    assert kept(database) == expected


def test_no_address_is_kept_with_an_event(database: Database) -> None:
    events = opened(database, make_mailing(database))
    with database.write() as session:
        flush(session, events)
    with database.read() as session:
        assert set(session.scalars(select(Event.ip))) == {None}
