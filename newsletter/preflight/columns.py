"""A list's audience, by the fields that merge tags name."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from newsletter.clock import utc_now
from newsletter.models import Subscriber
from newsletter.rendering.template import Template, Value
from newsletter.sending.plan import count_people, people_of

Audience = Select[int, str]
_FIELD = re.compile(r"\bsubscriber\.(\w+)")


def fields_of(template: Template) -> set[str]:
    """The subscriber's fields that a template may show."""
    return {field for part in template if isinstance(part, Value) for field in _FIELD.findall(part.expression)}


def audience(session: Session, list_id: int, segment: str | None = None) -> Audience:
    """Those a mailing to the list, or to a segment of it, would go to now."""
    return people_of(session, list_id, segment, utc_now())


def count(session: Session, people: Audience, *conditions: ColumnElement[bool]) -> int:
    """How many of an audience meet every condition."""
    return count_people(session, people.where(*conditions))


def lacks(field: str) -> ColumnElement[bool]:
    """Whether a subscriber has nothing in a field."""
    return func.coalesce(_column(field), "") == ""


def longest(session: Session, people: Audience, fields: Iterable[str]) -> dict[str, str]:
    """The longest value that anyone of an audience has in each field; one query a field."""
    return {field: _longest(session, people, field) for field in sorted(fields)}


def _longest(session: Session, people: Audience, field: str) -> str:
    column = _column(field)
    # Those without a value sort first in some databases.
    length = func.coalesce(func.length(column), 0)
    found = people.with_only_columns(column).order_by(length.desc()).limit(1).subquery()
    return session.scalar(select(found)) or ""


def _column(field: str) -> ColumnElement[str]:
    match field:
        case "email" | "first_name" | "last_name" | "language" | "timezone":
            return Subscriber.__table__.c[field]
        case "name":
            return func.trim(Subscriber.first_name + " " + Subscriber.last_name)
    attribute: ColumnElement[str] = Subscriber.attributes[field].as_string()
    return attribute
