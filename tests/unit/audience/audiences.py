"""Whole audiences for tests: everything that can be known of people on a list, made up and put into a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from newsletter.audience.export import Exported, export_page, to_csv, to_json
from newsletter.audience.lists import get_list
from newsletter.db import Database
from newsletter.models import (
    Base,
    Consent,
    ConsentAction,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    Tracking,
)
from newsletter.text import one_line
from tests.factories import NOW, make_list

# All that a list lets in: one line, without NUL and halves of pairs.
_SIGNS = st.characters(exclude_categories=("Cs", "Cc"))
TEXT = st.text(_SIGNS, max_size=12).map(one_line)
ODD = st.sampled_from(["=1+1", "'=1", "''-x", "@x", "+32", "'s", "a;b", 'a"b', "a,b|c", "é", "  "])
WORDS = TEXT | ODD.map(one_line)
# What people are shown and say may go over several lines.
PROSE = st.text(_SIGNS | st.just("\n"), max_size=20) | ODD
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2026, 3, 12), timezones=st.just(UTC))  # noqa: DTZ001
IPS = st.sampled_from([None, "192.0.2.1", "2001:db8::1"])
SUPPRESSIONS = st.fixed_dictionaries(
    {
        "reason": st.sampled_from(SuppressionReason),
        "source": PROSE.filter(bool),
        "created_at": MOMENTS,
        "expires_at": st.none() | st.just(NOW + timedelta(days=9)),
    }
)
DECISIONS = st.fixed_dictionaries(
    {
        "action": st.sampled_from(ConsentAction),
        "everywhere": st.booleans(),
        "wording": PROSE,
        "wording_version": st.sampled_from(["", "2026-01"]),
        "ip": IPS,
        "by": st.sampled_from(["reader", "admin"]),
        "at": MOMENTS,
    }
)
SUBSCRIBERS = st.fixed_dictionaries(
    {
        "first_name": WORDS,
        "last_name": WORDS,
        "language": st.sampled_from(["", "fr", "pt-BR"]),
        "timezone": st.sampled_from(["", "Europe/Brussels"]),
        "attributes": st.dictionaries(
            st.sampled_from(["ville", "=note", "language", "Deux mots"]), WORDS.filter(bool), max_size=2
        ).map(lambda found: dict(sorted(found.items()))),
        "tags": st.lists(WORDS.filter(bool), max_size=3, unique=True).map(sorted),
        "tracking": st.none() | st.sampled_from(Tracking),
    }
)
PLACES = st.fixed_dictionaries(
    {
        "status": st.sampled_from(SubscriptionStatus),
        "consent": PROSE,
        "opted_in_at": st.none() | MOMENTS,
        "opted_in_ip": IPS,
        "confirmed_at": st.none() | MOMENTS,
        "confirmed_ip": IPS,
        "subscribed_at": MOMENTS,
        "unsubscribed_at": st.none() | MOMENTS,
        "paused_until": st.none() | st.just(NOW + timedelta(days=3)),
    }
)
PERSON = st.tuples(SUBSCRIBERS, PLACES, st.none() | SUPPRESSIONS, st.lists(DECISIONS, max_size=3))
AUDIENCES = st.lists(PERSON, min_size=1, max_size=3)


def emptied(database: Database) -> Database:
    """That database with one list and nobody on it."""
    with database.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))
        make_list(session)
    return database


def fill(database: Database, persons: list[Any], slug: str = "vendredi") -> None:
    """Put people on a list; the same places among them have the same addresses, whatever the list."""
    with database.write() as session:
        list_id = get_list(session, slug).id
        for at, person in enumerate(persons):
            put(session, list_id, f"{'=+-a'[at % 4]}{at}@example.org", person)


def put(session: Session, list_id: int, email: str, person: Any) -> None:
    """One person, known before or not."""
    about, place, suppression, trail = person
    subscriber = session.scalar(select(Subscriber).where(Subscriber.email == email))
    if subscriber is None:
        subscriber = Subscriber(email=email, created_at=NOW, **about)
        session.add(subscriber)
        session.flush()
    session.add(Subscription(list_id=list_id, subscriber_id=subscriber.id, **place))
    if suppression and session.scalar(select(Suppression).where(Suppression.address == email)) is None:
        session.add(Suppression(address=email, **suppression))
    for decision in trail:
        facts = dict(decision)
        on = None if facts.pop("everywhere") else list_id
        session.add(Consent(subscriber_id=subscriber.id, list_id=on, **facts))
        session.flush()


def exported(database: Database, slug: str = "vendredi") -> list[Exported]:
    """Everybody on a list, by address."""
    with database.read() as session:
        found = export_page(session, get_list(session, slug).id, 0, NOW)
    return sorted(found, key=lambda one: one.email)


def csv_of(people: list[Exported]) -> str:
    """An export of them."""
    return to_csv([], header=True) + to_csv(people, header=False)


def json_of(people: list[Exported]) -> str:
    """The same as JSON."""
    return to_json(people, first=True) + "\n]\n"


def everything(database: Database) -> Any:
    """All rows but those of imports themselves."""
    with database.read() as session:
        found = {table.name: session.execute(select(table)).all() for table in Base.metadata.sorted_tables}
    return {name: sorted(map(repr, rows)) for name, rows in found.items() if name not in ("imports", "lists")}
