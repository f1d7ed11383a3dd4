"""Rollups as events leave them behind, put in for a report to read."""

from __future__ import annotations

from newsletter.db import Database
from newsletter.models import EventKind, Facet, Rollup
from newsletter.models.event import Verdict

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
