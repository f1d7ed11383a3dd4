"""A mailing's report: deliveries by state, people who opened, clicked and left, clicks by link."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from newsletter.errors import NotFoundError
from newsletter.models import (
    Delivery,
    DeliveryState,
    Event,
    EventKind,
    Link,
    List,
    Mailing,
    MailingStatus,
    of_mailing,
)

# No person asks for the head of a page alone.
FETCHED = Event.method != "HEAD"
# A delivery, or whom nobody can name.
_READER = func.coalesce(cast(Event.delivery_id, String), Event.reader)


@dataclass(frozen=True, slots=True)
class LinkClicks:
    """How often a link was followed, and by how many people."""

    number: int
    url: str
    clicks: int
    people: int


@dataclass(frozen=True, slots=True)
class Report:
    """Counts of people, not of events, but where it says otherwise. `audience` is None until it is frozen."""

    mailing_id: int
    subject: str
    list_slug: str
    segment: str | None
    status: MailingStatus
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    audience: int | None
    states: dict[DeliveryState, int]
    opened: int
    clicked: int
    unsubscribed: int
    links: tuple[LinkClicks, ...]

    @property
    def delivered(self) -> int:
        return self.states.get(DeliveryState.SENT, 0)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `--json`; times in ISO 8601, UTC."""
        times = {name: value.isoformat() if value else None for name, value in self._times().items()}
        return {**asdict(self), **times, "delivered": self.delivered}

    def _times(self) -> dict[str, datetime | None]:
        return {"due_at": self.due_at, "started_at": self.started_at, "finished_at": self.finished_at}


def report(session: Session, mailing_id: int) -> Report:
    """The report of a mailing as it stands. Raises NotFoundError for an unknown mailing."""
    row = session.execute(
        select(Mailing, List.slug).join(List, List.id == Mailing.list_id).where(Mailing.id == mailing_id)
    ).first()
    if row is None:
        raise NotFoundError(f"there is no mailing {mailing_id}: `newsletter mailing ls` lists them")
    mailing, list_slug = row
    people = _people(session, mailing_id)
    return Report(
        mailing_id=mailing.id,
        subject=mailing.subject,
        list_slug=list_slug,
        segment=mailing.segment,
        status=mailing.status,
        due_at=mailing.due_at,
        started_at=mailing.started_at,
        finished_at=mailing.finished_at,
        audience=mailing.audience_size,
        states=count_states(session, mailing_id),
        opened=people.get(EventKind.OPEN, 0),
        clicked=people.get(EventKind.CLICK, 0),
        unsubscribed=people.get(EventKind.UNSUBSCRIBE, 0),
        links=_links(session, mailing_id),
    )


def count_states(session: Session, mailing_id: int) -> dict[DeliveryState, int]:
    """How many deliveries of a mailing are in each state; states that nobody is in are left out."""
    kept = session.scalar(select(Mailing.receipt).where(Mailing.id == mailing_id, Mailing.pruned_at.is_not(None)))
    if kept:
        return {DeliveryState(state): count for state, count in kept["outcomes"].items()}
    rows = session.execute(
        select(Delivery.state, func.count()).where(*of_mailing(mailing_id)).group_by(Delivery.state)
    )
    return dict(rows.all())


def all_mailings(session: Session) -> list[int]:
    """Every mailing's id, the latest first."""
    return list(session.scalars(select(Mailing.id).order_by(Mailing.id.desc())))


def _people(session: Session, mailing_id: int) -> dict[EventKind, int]:
    rows = session.execute(
        select(Event.kind, func.count(_READER.distinct()))
        .where(Event.mailing_id == mailing_id, FETCHED)
        .group_by(Event.kind)
    )
    return dict(rows.all())


def _links(session: Session, mailing_id: int) -> tuple[LinkClicks, ...]:
    clicks = (
        select(
            Event.link_number,
            func.count().label("clicks"),
            func.count(_READER.distinct()).label("people"),
        )
        .where(Event.mailing_id == mailing_id, Event.kind == EventKind.CLICK, FETCHED)
        .group_by(Event.link_number)
        .subquery()
    )
    rows = session.execute(
        select(Link.number, Link.url, func.coalesce(clicks.c.clicks, 0), func.coalesce(clicks.c.people, 0))
        .outerjoin(clicks, clicks.c.link_number == Link.number)
        .where(Link.mailing_id == mailing_id)
        .order_by(Link.number)
    )
    return tuple(LinkClicks(*row) for row in rows)
