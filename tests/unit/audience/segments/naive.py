"""A made-up audience, and who of it is in a segment, worked out person by person in Python."""

from __future__ import annotations

import operator as op
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from newsletter.audience.segments.tree import (
    Among,
    And,
    ClickedLink,
    Comparison,
    DaysAgo,
    Did,
    Empty,
    Field,
    Match,
    Node,
    Not,
    OnList,
    Or,
    Subscribed,
    SubscribedWithin,
    Tagged,
    Value,
)
from newsletter.audience.segments.values import NO, YES
from tests.factories import NOW
from tests.unit.audience.segments.trees import ANSWERS, CITIES, DAYS, LANGUAGES, LISTS, SCORES, TAGS

MAILINGS = 3
LINKS = ("https://example.org/A", "https://example.org/b%20c")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": op.eq, "!=": op.ne, "<": op.lt, "<=": op.le, ">": op.gt, ">=": op.ge,
}  # fmt: skip


@dataclass
class Person:
    """`did` holds what they did with each mailing, the latest first; `clicked` the links they followed."""

    email: str
    first_name: str
    last_name: str
    language: str
    timezone: str
    attributes: dict[str, str]
    tags: list[str]
    subscribed_at: datetime
    lists: set[str]
    did: list[set[str]] = field(default_factory=list)
    clicked: set[int] = field(default_factory=set)

    def value(self, asked: Field) -> str:
        if asked.is_attribute:
            return self.attributes.get(asked.name, "")
        if asked.name == "email domain":
            return self.email.split("@")[1]
        if asked.name == "name":
            return f"{self.first_name} {self.last_name}".strip()
        return str(getattr(self, asked.name))


def make_person(random: Random, number: int) -> Person:
    """Anybody."""
    filled = {"city": CITIES, "score": SCORES, "renewed": DAYS, "vip": ANSWERS}
    did = [{action for action in ("opened", "clicked", "received") if random.random() < 0.5} for _ in range(MAILINGS)]
    clicked = {
        number for number in range(len(LINKS)) if any("clicked" in one for one in did) and random.random() < 0.5
    }
    return Person(
        email=f"person{number}@{random.choice(['example.org', 'exämple.net', 'a.example.org'])}",
        first_name=random.choice(["Ada", "ada", "Élodie", ""]),
        last_name=random.choice(["King", "LIÈGE", ""]),
        language=random.choice(LANGUAGES),
        timezone=random.choice(["", "Europe/Brussels"]),
        attributes={name: random.choice(values) for name, values in filled.items() if random.random() < 0.8},
        tags=sorted(random.sample(TAGS, random.choice([0, 1, 2]))),
        subscribed_at=NOW - timedelta(days=random.choice([0, 1, 2, 3]), hours=random.choice([0, 6, 7, 8])),
        lists={"vendredi", *(slug for slug in LISTS if random.random() < 0.5)},
        did=did,
        clicked=clicked,
    )


def holds(node: Node, one: Person) -> bool:
    """Whether somebody is in the segment at NOW."""
    match node:
        case Comparison(asked, operator, value):
            return _compares(one.value(asked), operator, value)
        case Match(asked, how, text):
            known, wanted = one.value(asked).lower(), text.lower()
            return wanted in known if how == "contains" else known.startswith(wanted)
        case Among(asked, values):
            return any(_compares(one.value(asked), "=", value) for value in values)
        case Empty(asked):
            return one.value(asked) == ""
        case Tagged(tag):
            return tag.lower() in [known.lower() for known in one.tags]
        case Subscribed(when, day):
            midnight = datetime.combine(day, time.min, UTC)
            before, after = one.subscribed_at < midnight, one.subscribed_at >= midnight + timedelta(days=1)
            return before if when == "before" else after
        case SubscribedWithin(days):
            return one.subscribed_at >= NOW - timedelta(days=days)
        case Did(action, quantity, last):
            found = [action in did for did in one.did[:last]]
            return {"any": any(found), "all": all(found), "none": not any(found)}[quantity]
        case ClickedLink(text):
            return any(text.lower() in LINKS[number].lower() for number in one.clicked)
        case OnList(slug):
            return slug in one.lists
        case Not(part):
            return not holds(part, one)
        case And(parts):
            return all(holds(part, one) for part in parts)
        case Or(parts):
            return any(holds(part, one) for part in parts)


def _compares(known: str, operator: str, value: Value) -> bool:
    if operator == "!=":
        return not _compares(known, "=", value)
    compare = _OPERATORS[operator]
    if isinstance(value, DaysAgo):
        value = NOW.date() - timedelta(days=value.days)
    match value:
        case bool():
            return known.lower() in (YES if value else NO)
        case Decimal():
            is_number = re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)", known)
            return bool(is_number) and compare(Decimal(known), value)
        case date():
            found = re.match(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?=\Z|[ T])", known)
            return found is not None and compare("".join(found.groups()), f"{value:%Y%m%d}")
    return known.lower() == value.lower()
