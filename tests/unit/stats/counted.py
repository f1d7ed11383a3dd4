"""Rollups as events leave them behind, and signals as they come back, put in for a report to read."""

from __future__ import annotations

from sqlalchemy.orm import Session

from newsletter.db import Database
from newsletter.models import EventKind, Facet, Rollup, SignalRecord
from newsletter.models.event import Verdict
from tests.factories import NOW

OPEN, CLICK, TRAP = EventKind.OPEN, EventKind.CLICK, EventKind.TRAP
PERSON, PROXY, MACHINE = Verdict.PERSON, Verdict.PROXY, Verdict.MACHINE
ISSUE, LINK, HOUR, DOMAIN, CLIENT = Facet.ISSUE, Facet.LINK, Facet.HOUR, Facet.DOMAIN, Facet.CLIENT

# Kind, verdict, facet, key, readers, events.
Counted = tuple[EventKind, Verdict, Facet, str, int, int]


def count(database: Database, mailing_id: int, *rows: Counted) -> None:
    """Put rows in."""
    with database.write() as session:
        session.add_all(
            Rollup(
                mailing_id=mailing_id,
                kind=kind,
                verdict=verdict,
                facet=facet,
                key=key,
                readers=readers,
                events=events,
            )
            for kind, verdict, facet, key, readers, events in rows
        )


def add_signal(
    session: Session, mailing_id: int, delivery_id: int, kind: str, severity: str, reason: str, source: str
) -> None:
    """Something came back about a delivery, by mail; `source` is its own alone."""
    session.add(
        SignalRecord(
            mailing_id=mailing_id,
            delivery_id=delivery_id,
            via="mail",
            kind=kind,
            severity=severity,
            reason=reason,
            occurred_at=NOW,
            source=source,
        )
    )
