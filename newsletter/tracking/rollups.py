"""Rollups in SQL: changed by what came, in the transaction that brings the events."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import delete
from sqlalchemy.orm import Session

from newsletter.db import insert_into
from newsletter.models import Rollup
from newsletter.tracking.tally import Cell, Counts


def change(session: Session, mailing_id: int, changes: Mapping[Cell, Counts]) -> None:
    """Add to what a mailing's rollups count; those that count nothing any more go."""
    rows = [
        {
            "mailing_id": mailing_id,
            "kind": kind,
            "verdict": verdict,
            "facet": facet,
            "key": key,
            "events": events,
            "readers": readers,
        }
        # All in one order, so that two transactions never wait for each other.
        for (kind, verdict, facet, key), (events, readers) in sorted(changes.items())
    ]
    if not rows:
        return
    table = Rollup.__table__
    statement = insert_into(session, table)
    more = {name: table.c[name] + statement.excluded[name] for name in ("events", "readers")}
    session.execute(statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=more), rows)
    empty = (Rollup.events == 0, Rollup.readers == 0)
    session.execute(delete(Rollup).where(Rollup.mailing_id == mailing_id, *empty))
