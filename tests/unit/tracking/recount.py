"""What rollups should hold, counted from the events alone, in SQL and with nothing of the code that keeps them."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.models import Event, Rollup
from newsletter.tracking.clients import family

Counts = dict[tuple[str, ...], tuple[int, int]]


def recounted(session: Session, mailing_id: int) -> Counts:
    """Events and readers by kind, verdict, facet and key."""
    events: dict[tuple[str, ...], int] = defaultdict(int)
    readers: dict[tuple[str, ...], set[object]] = defaultdict(set)
    for event in session.scalars(select(Event).where(Event.mailing_id == mailing_id)):
        keys = [
            ("issue", ""),
            ("hour", event.occurred_at.strftime("%Y-%m-%dT%H")),
            ("domain", event.domain),
            ("client", family(event.user_agent)),
        ]
        if event.link_number is not None:
            keys.append(("link", str(event.link_number)))
        for facet, key in keys:
            cell = (event.kind.value, event.verdict.value, facet, key)
            events[cell] += 1
            if event.delivery_id is not None or event.reader:
                readers[cell].add((event.delivery_id, event.reader))
    return {cell: (count, len(readers[cell])) for cell, count in events.items()}


def rolled_up(session: Session, mailing_id: int) -> Counts:
    """The same as the rollups have it."""
    return {
        (one.kind.value, one.verdict.value, one.facet.value, one.key): (one.events, one.readers)
        for one in session.scalars(select(Rollup).where(Rollup.mailing_id == mailing_id))
    }
