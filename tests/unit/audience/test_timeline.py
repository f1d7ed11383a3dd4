"""A person's timeline: all that happened, once each, in one order, whatever the pages it is cut into."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.audience.timeline import Moment, place_of, read_place, timeline
from newsletter.db import Database
from newsletter.errors import InputError
from newsletter.models import (
    Consent,
    ConsentAction,
    Delivery,
    DeliveryState,
    Event,
    EventKind,
    SignalRecord,
    Subscriber,
    Subscription,
    Verdict,
)
from tests.factories import EMAILS, NOW, make_mailing

MAILINGS, EACH = 2, 5
# Few enough that most of what happened shares its moment with something else, of its own kind and of others.
MOMENTS = [NOW, NOW + timedelta(microseconds=1), NOW + timedelta(milliseconds=1), NOW + timedelta(days=1)]


def live(database: Database) -> tuple[int, set[tuple[datetime, str, int]]]:
    """Somebody to whom much happened, and beside them others; their number, and what is to be told of them."""
    random, told = Random(56), set()
    mailings = [make_mailing(database, slug=f"liste-{number}") for number in range(MAILINGS)]
    with database.write() as session:
        ada = session.scalars(select(Subscriber).where(Subscriber.email == EMAILS[0])).one()
        for place in session.scalars(select(Subscription)):
            place.subscribed_at, place.unsubscribed_at = random.choice(MOMENTS), random.choice([*MOMENTS, None])
            if place.subscriber_id == ada.id:
                told.add((place.subscribed_at, "subscribed", place.id))
                if place.unsubscribed_at:
                    told.add((place.unsubscribed_at, "unsubscribed", place.id))
        for delivery in session.scalars(select(Delivery)):
            delivery.state, delivery.settled_at = DeliveryState.SENT, random.choice([*MOMENTS, None])
            delivery.reply = f"250 2.0.0 queued as {delivery.id}"
            mine = delivery.subscriber_id == ada.id
            if mine and delivery.settled_at:
                told.add((delivery.settled_at, "delivery", delivery.id))
            for number in range(EACH):
                at = random.choice(MOMENTS)
                found = (_event(session, delivery, at, number), _signal(session, delivery, at, number))
                if mine:
                    told |= {(at, kind, row_id) for kind, row_id in zip(("event", "signal"), found, strict=True)}
        for number in range(EACH):
            for subscriber in session.scalars(select(Subscriber)):
                at = random.choice(MOMENTS)
                decided = Consent(subscriber_id=subscriber.id, action=ConsentAction.PROFILE, by="reader", at=at)
                decided.wording = f"{number}"
                session.add(decided)
                session.flush()
                if subscriber.id == ada.id:
                    told.add((at, "consent", decided.id))
        # A bounce of which it is not known to which mailing it belongs is theirs all the same.
        lost = SignalRecord(subscriber_id=ada.id, via="mail", kind="bounce", severity="hard", reason="unknown")
        lost.source, lost.occurred_at = "lost", NOW
        session.add(lost)
        session.flush()
        told.add((NOW, "signal", lost.id))
        assert len(mailings) == MAILINGS
        return ada.id, told


def _event(session: Session, delivery: Delivery, at: datetime, number: int) -> int:
    seen = Event(mailing_id=delivery.mailing_id, delivery_id=delivery.id, kind=EventKind.OPEN, occurred_at=at)
    seen.source = f"{delivery.id} {number}"
    session.add(seen)
    session.flush()
    return seen.id


def _signal(session: Session, delivery: Delivery, at: datetime, number: int) -> int:
    came = SignalRecord(
        mailing_id=delivery.mailing_id, subscriber_id=delivery.subscriber_id, via="mail", kind="bounce",
        severity="soft", reason="full", source=f"{delivery.id} {number}", occurred_at=at,
    )  # fmt: skip
    session.add(came)
    session.flush()
    return came.id


def key(moment: Moment) -> tuple[datetime, str, int]:
    return moment.at, moment.kind, moment.number


def pages(database: Database, subscriber_id: int, limit: int) -> list[list[Moment]]:
    """All pages, each asked for by what the one before says of where it ended."""
    found: list[list[Moment]] = []
    with database.read() as session:
        after = None
        while page := timeline(session, subscriber_id, limit, after):
            found.append(page)
            after = read_place(place_of(page[-1]))
    return found


def test_pages_of_any_length_lose_nothing_and_show_nothing_twice(database: Database) -> None:
    ada, told = live(database)
    with database.read() as session:
        whole = timeline(session, ada, 10_000)
    assert len(whole) == len(told)
    assert {key(moment) for moment in whole} == told
    for limit in (1, 2, 7, len(whole) - 1, len(whole)):
        found = pages(database, ada, limit)
        assert [moment for page in found for moment in page] == whole
        assert all(len(page) == limit for page in found[:-1])


def test_the_latest_comes_first_and_what_happened_at_once_has_one_order_of_its_own(database: Database) -> None:
    ada, _ = live(database)
    with database.read() as session:
        whole = [key(moment) for moment in timeline(session, ada, 10_000)]
    assert whole == sorted(whole, reverse=True)


def test_what_happens_meanwhile_moves_no_page_that_follows(database: Database) -> None:
    ada, _ = live(database)
    with database.read() as session:
        first, rest = timeline(session, ada, 10), timeline(session, ada, 10_000)[10:]
    with database.write() as session:
        decided = Consent(subscriber_id=ada, action=ConsentAction.PAUSE, by="reader", at=NOW + timedelta(days=2))
        session.add(decided)
    with database.read() as session:
        assert timeline(session, ada, 10_000, read_place(place_of(first[-1]))) == rest
        assert key(timeline(session, ada, 1)[0])[:2] == (NOW + timedelta(days=2), "consent")


@pytest.mark.parametrize("words", ["", "2026-03-13T07:00:00+00:00", "2026-03-13T07:00:00/event/1", "x/event/1"])
def test_a_place_that_is_none_is_told(words: str) -> None:
    with pytest.raises(InputError, match="is no place in a timeline"):
        read_place(words)


def test_what_machines_and_proxies_did_is_told_as_theirs_page_by_page(database: Database) -> None:
    mailing_id = make_mailing(database, ["ada@example.org"])
    seen = (
        (EventKind.OPEN, Verdict.PROXY, "proxy", "Mozilla/5.0"),
        (EventKind.OPEN, Verdict.PERSON, "", "Firefox"),
        (EventKind.CLICK, Verdict.MACHINE, "trap", "curl"),
    )
    with database.write() as session:
        delivery = session.scalars(select(Delivery)).one()
        for number, (kind, verdict, reason, agent) in enumerate(seen):
            session.add(
                Event(
                    mailing_id=mailing_id,
                    delivery_id=delivery.id,
                    kind=kind,
                    verdict=verdict,
                    verdict_reason=reason,
                    user_agent=agent,
                    occurred_at=NOW + timedelta(minutes=number + 1),
                    source=str(number),
                )
            )
    found: list[Moment] = []
    with database.read() as session:
        while page := timeline(
            session, delivery.subscriber_id, 2, read_place(place_of(found[-1])) if found else None
        ):
            found += page
    assert [(one.what, one.words) for one in found if one.kind == "event"] == [
        ("click", "machine (trap): curl"),
        ("open", "Firefox"),
        ("open", "proxy (proxy): Mozilla/5.0"),
    ]
    assert found[-1].what == "subscribed"
