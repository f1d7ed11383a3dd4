"""A list taken out: everybody who is or was on it, a page at a time, with how that came to be."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from io import StringIO
from typing import Any

from sqlalchemy import ColumnElement, and_, select, true
from sqlalchemy.orm import Session, aliased

from newsletter.audience.cells import as_cell
from newsletter.audience.formulas import escaped
from newsletter.audience.past import SUPPRESSED, Decision, write_trail
from newsletter.audience.trails import trails_of
from newsletter.models import Subscriber, Subscription, Suppression, at_domain, holds

PAGE = 5000


@dataclass(frozen=True, slots=True)
class Exported:
    """Somebody on a list, with all that an import needs to bring them back.

    `status` is `suppressed` for whoever is never mailed, and `suppressed` says why; `subscription` is their status on
    the list all the same. `trail` are their decisions on this list, and on all lists.
    """

    number: int
    email: str
    first_name: str
    last_name: str
    language: str
    timezone: str
    status: str
    subscription: str
    suppressed: str
    suppressed_by: str
    suppressed_at: datetime | None
    suppressed_until: datetime | None
    consent: str
    opted_in_at: datetime | None
    opted_in_ip: str | None
    confirmed_at: datetime | None
    confirmed_ip: str | None
    subscribed_at: datetime
    unsubscribed_at: datetime | None
    paused_until: datetime | None
    tracking: str
    tags: list[str]
    attributes: dict[str, str]
    trail: str


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
        select(Subscriber, place, own, whole)
        .join(place, place.subscriber_id == Subscriber.id)
        .outerjoin(own, and_(own.address == Subscriber.email, holds(own, now)))
        .outerjoin(whole, and_(whole.address == at_domain(Subscriber.email), holds(whole, now)))
        .where(place.list_id == list_id, place.subscriber_id > after, true() if only is None else only)
        .order_by(place.subscriber_id)
        .limit(PAGE)
    ).all()
    trails = trails_of(session, list_id, rows[0][0].id, rows[-1][0].id) if rows else {}
    return [
        _exported(person, found, _lasting(own_one, whole_one), trails.get(person.id, ()))
        for person, found, own_one, whole_one in rows
    ]


def to_csv(people: Iterable[Exported], *, header: bool) -> str:
    """Rows of CSV (RFC 4180); cells that a spreadsheet would run as formulas begin with an apostrophe."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    if header:
        writer.writerow(COLUMNS)
    writer.writerows([escaped(as_cell(getattr(one, name))) for name in COLUMNS] for one in people)
    return text.getvalue()


def to_json(people: Iterable[Exported], *, first: bool) -> str:
    """Lines of a JSON array, a person each; behind the last there is a bracket to close."""
    return "".join(
        ("[\n" if first and not at else ",\n") + json.dumps(to_facts(one), ensure_ascii=False)
        for at, one in enumerate(people)
    )


def to_facts(one: Exported) -> dict[str, Any]:
    """Plain values, times in ISO 8601, UTC."""
    values = {name: getattr(one, name) for name in COLUMNS}
    values = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    return values | {"trail": json.loads(one.trail)}


def _lasting(own: Suppression | None, whole: Suppression | None) -> Suppression | None:
    """Of an address's suppression and its domain's, the one that lasts longer."""
    if own is None or whole is None or own.expires_at is None:
        return own or whole
    return whole if whole.expires_at is None or whole.expires_at > own.expires_at else own


def _exported(
    person: Subscriber, place: Subscription, suppression: Suppression | None, trail: Sequence[Decision]
) -> Exported:
    return Exported(
        number=person.id,
        email=person.email,
        first_name=person.first_name,
        last_name=person.last_name,
        language=person.language,
        timezone=person.timezone,
        status=SUPPRESSED if suppression else place.status.value,
        subscription=place.status.value,
        suppressed=suppression.reason.value if suppression else "",
        suppressed_by=suppression.source if suppression else "",
        suppressed_at=suppression.created_at if suppression else None,
        suppressed_until=suppression.expires_at if suppression else None,
        consent=place.consent,
        opted_in_at=place.opted_in_at,
        opted_in_ip=place.opted_in_ip,
        confirmed_at=place.confirmed_at,
        confirmed_ip=place.confirmed_ip,
        subscribed_at=place.subscribed_at,
        unsubscribed_at=place.unsubscribed_at,
        paused_until=place.paused_until,
        tracking=person.tracking.value if person.tracking else "",
        tags=list(person.tags),
        attributes=dict(person.attributes),
        trail=write_trail(trail),
    )
