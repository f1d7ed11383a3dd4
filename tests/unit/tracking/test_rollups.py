"""Events in any order and portions: what is counted and what is judged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from newsletter.db import Database
from newsletter.models import Delivery, DeliveryState, Event, EventKind, Subscriber, Tracking
from newsletter.tracking.buffer import Noted
from newsletter.tracking.flush import flush
from tests.factories import NOW, make_mailing
from tests.unit.tracking.recount import recounted, rolled_up
from tests.unit.tracking.simulation import APPLE, CHROME, GMAIL

AGENTS = (CHROME.format(120), CHROME.format(124), APPLE, GMAIL, "python-requests/2.32.3", "")
KINDS = (EventKind.OPEN, EventKind.CLICK, EventKind.CLICK, EventKind.TRAP)
PEOPLE = {
    "ada@gmail.com": Tracking.INDIVIDUAL,
    "blaise@maison.example": None,
    "chloe@outlook.com": None,
    "denis@maison.example": Tracking.OFF,
}
SECONDS = st.one_of(st.integers(0, 40), st.integers(0, 4000)).map(lambda tenths: tenths / 5)
ONE = st.tuples(
    st.integers(0, len(PEOPLE) - 1),
    st.sampled_from(KINDS),
    SECONDS,
    st.sampled_from(AGENTS),
    st.integers(1, 4),
    st.sampled_from(("GET", "GET", "GET", "HEAD")),
    st.sampled_from((None, "81.240.1.2", "209.222.82.5")),
)
Judged = set[tuple[str, str, str]]


class TakenBack(Exception):
    """Ends a transaction that leaves nothing."""


@contextmanager
def taken_back(database: Database) -> Iterator[Session]:
    with suppress(TakenBack), database.write() as session:
        yield session
        raise TakenBack


@pytest.fixture
def mailing_id(database: Database) -> int:
    """A mailing that four people have, some of them with a choice of their own about what is kept."""
    number = make_mailing(database, PEOPLE)
    with database.write() as session:
        session.execute(update(Delivery).values(state=DeliveryState.SENT, settled_at=NOW))
        for email, tracking in PEOPLE.items():
            session.execute(update(Subscriber).where(Subscriber.email == email).values(tracking=tracking))
    return number


def noted(mailing_id: int, delivery_ids: list[int], drawn: list[tuple[Any, ...]]) -> list[Noted]:
    events = []
    for number, (reader, kind, seconds, agent, link, method, ip) in enumerate(drawn):
        milliseconds = int((NOW + timedelta(seconds=seconds)).timestamp() * 1000)
        link_number = link if kind is EventKind.CLICK else None
        source = f"{milliseconds}-{number}"
        events.append(Noted(source, kind, mailing_id, delivery_ids[reader], link_number, agent, ip, method))
    return events


def judged(session: Session) -> Judged:
    return {(one.source, one.verdict.value, one.verdict_reason) for one in session.scalars(select(Event))}


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), drawn=st.lists(ONE, max_size=30))
def test_what_is_judged_and_counted_does_not_depend_on_how_events_come(
    database: Database, mailing_id: int, data: st.DataObject, drawn: list[tuple[Any, ...]]
) -> None:
    with database.read() as session:
        delivery_ids = list(session.scalars(select(Delivery.id).order_by(Delivery.id)))
    events = noted(mailing_id, delivery_ids, drawn)
    again = data.draw(st.lists(st.sampled_from(events), max_size=10)) if events else []
    order = data.draw(st.permutations([*events, *again]))
    with taken_back(database) as session:
        flush(session, events)
        at_once = judged(session)
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)
    with taken_back(database) as session:
        count = 0
        while order:
            size = data.draw(st.integers(1, len(order)))
            count += flush(session, order[:size])
            order = order[size:]
            session.expire_all()
            assert rolled_up(session, mailing_id) == recounted(session, mailing_id)
        assert judged(session) == at_once
        assert count == len(at_once) == sum(event.delivery_id != delivery_ids[-1] for event in events)
