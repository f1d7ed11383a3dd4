"""A list taken out: everybody who is or was on it, a page at a time, with how that came to be."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from io import StringIO
from typing import Any

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import Session, aliased

from newsletter.audience.formulas import escaped
from newsletter.models import Subscriber, Subscription, Suppression, at_domain, holds

PAGE = 5000
SUPPRESSED = "suppressed"
_NEEDS_QUOTES = re.compile(r'[,;|"]')


@dataclass(frozen=True, slots=True)
class Exported:
    """Somebody on a list; `status` is `suppressed` for whoever is never mailed, and `suppressed` says why."""

    number: int
    email: str
    first_name: str
    last_name: str
    language: str
    timezone: str
    status: str
    suppressed: str
    consent: str
    opted_in_at: datetime | None
    opted_in_ip: str | None
    confirmed_at: datetime | None
    confirmed_ip: str | None
    subscribed_at: datetime
    unsubscribed_at: datetime | None
    paused_until: datetime | None
    tags: list[str]
    attributes: dict[str, str]


COLUMNS = tuple(field.name for field in fields(Exported) if field.name != "number")


def export_page(
    session: Session, list_id: int, after: int, now: datetime, only: ColumnElement[bool] | None = None
) -> list[Exported]:
    """The next people of a list, those behind the number `after`; none once all were given.

    `only` is a condition on Subscriber.
    """
    own, whole = aliased(Suppression), aliased(Suppression)
    place = Subscription
    rows = session.execute(
        select(Subscriber, place, own.reason, whole.reason)
        .join(place, place.subscriber_id == Subscriber.id)
        .outerjoin(own, and_(own.address == Subscriber.email, holds(own, now)))
        .outerjoin(whole, and_(whole.address == at_domain(Subscriber.email), holds(whole, now)))
        .where(place.list_id == list_id, place.subscriber_id > after, true() if only is None else only)
        .order_by(place.subscriber_id)
        .limit(PAGE)
    )
    return [_exported(person, found, reason or domain_reason) for person, found, reason, domain_reason in rows]


def to_csv(people: Iterable[Exported], *, header: bool) -> str:
    """Rows of CSV (RFC 4180); cells that a spreadsheet would run as formulas begin with an apostrophe."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if header:
        writer.writerow(COLUMNS)
    writer.writerows([escaped(_cell(getattr(one, name))) for name in COLUMNS] for one in people)
    return text.getvalue()


def to_facts(one: Exported) -> dict[str, Any]:
    """Plain values, times in ISO 8601, UTC."""
    values = {name: getattr(one, name) for name in COLUMNS}
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def _exported(person: Subscriber, place: Subscription, reason: Any) -> Exported:
    return Exported(
        number=person.id,
        email=person.email,
        first_name=person.first_name,
        last_name=person.last_name,
        language=person.language,
        timezone=person.timezone,
        status=SUPPRESSED if reason else place.status.value,
        suppressed=reason.value if reason else "",
        consent=place.consent,
        opted_in_at=place.opted_in_at,
        opted_in_ip=place.opted_in_ip,
        confirmed_at=place.confirmed_at,
        confirmed_ip=place.confirmed_ip,
        subscribed_at=place.subscribed_at,
        unsubscribed_at=place.unsubscribed_at,
        paused_until=place.paused_until,
        tags=list(person.tags),
        attributes=dict(person.attributes),
    )


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case list():
            return ",".join(_quoted(tag) for tag in value)
        case dict():
            return json.dumps(value, ensure_ascii=False) if value else ""
    return str(value)


def _quoted(tag: str) -> str:
    doubled = tag.replace('"', '""')
    return f'"{doubled}"' if _NEEDS_QUOTES.search(tag) else tag
