"""All that is kept of a mailing's events: whether it is whole, whose they are, what rollups should count."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.db import is_postgresql
from newsletter.errors import ConflictError, NotFoundError
from newsletter.models import Delivery, Event, EventKind, Facet, Mailing, Rollup, of_mailing, reader_name
from newsletter.tracking.addressees import Posted
from newsletter.tracking.seen import COLUMNS, NOBODY, Reader, seen_of
from newsletter.tracking.tally import Cell, Counts, Tally

_ROWS = 5000


def check_whole(session: Session, mailing_id: int) -> None:
    """Raise ConflictError where rollups count more than there is to count."""
    if session.scalar(select(Mailing.id).where(Mailing.id == mailing_id)) is None:
        raise NotFoundError(f"there is no mailing {mailing_id}: `newsletter mailing ls` lists them")
    counted = session.execute(
        select(Rollup.kind, func.sum(Rollup.events))
        .where(Rollup.mailing_id == mailing_id, Rollup.facet == Facet.ISSUE)
        .group_by(Rollup.kind)
    )
    there = select(Event.kind, func.count()).where(Event.mailing_id == mailing_id).group_by(Event.kind)
    left = dict(session.execute(there).all())
    gone = sum(max(int(count) - left.get(kind, 0), 0) for kind, count in counted)
    if gone:
        raise ConflictError(
            f"{gone:,} of the events of mailing {mailing_id} are no longer kept: its counts stay as they are, since "
            "they could not be made again"
        )


def readers_of(session: Session, mailing_id: int) -> list[Reader]:
    of_mailing = (Event.mailing_id == mailing_id, Event.kind != EventKind.UNSUBSCRIBE)
    rows = session.execute(select(Event.delivery_id, Event.reader).where(*of_mailing).distinct())
    return [(delivery_id, name) for delivery_id, name in rows]


def posted_to(session: Session, mailing_id: int, readers: set[Reader]) -> dict[Reader, Posted]:
    """What became of the messages of those readers whose delivery is still known."""
    salt = session.scalar(select(Mailing.reader_salt).where(Mailing.id == mailing_id))
    columns = (Delivery.id, Delivery.state, Delivery.settled_at)
    found = {}
    for number, state, settled_at in session.execute(select(*columns).where(*of_mailing(mailing_id))).yield_per(
        _ROWS
    ):
        either: tuple[Reader, Reader] = (number, ""), (None, reader_name(salt, number))
        for reader in either:
            if reader in readers and reader != NOBODY:
                found[reader] = Posted(state, settled_at)
    return found


def visits_of(session: Session, mailing_id: int) -> Iterator[tuple[str, int | None, datetime]]:
    """Who followed links from the addresses that are kept, and when."""
    rows = session.execute(
        select(Event.ip, Event.delivery_id, Event.occurred_at).where(
            Event.mailing_id == mailing_id,
            Event.ip.is_not(None),
            Event.kind.in_((EventKind.CLICK, EventKind.TRAP)),
        ),
        execution_options={"yield_per": _ROWS},
    )
    return ((ip, delivery_id, at) for ip, delivery_id, at in rows if ip)


def wrong_counts(session: Session, mailing_id: int) -> tuple[datetime | None, dict[Cell, Counts]]:
    """When the mailing was counted before, and by how much its rollups are wrong, both at one moment."""
    if is_postgresql(session):
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    check_whole(session, mailing_id)
    before = session.scalar(select(Mailing.recounted_at).where(Mailing.id == mailing_id))
    right = _counted(session, mailing_id).counts()
    wrong = dict(right)
    for row in session.scalars(select(Rollup).where(Rollup.mailing_id == mailing_id)):
        cell = (row.kind, row.verdict, row.facet, row.key)
        events, readers = right.get(cell, (0, 0))
        wrong[cell] = (events - row.events, readers - row.readers)
    return before, {cell: counts for cell, counts in wrong.items() if any(counts)}


def _counted(session: Session, mailing_id: int) -> Tally:
    tally = Tally()
    rows = session.execute(
        select(*COLUMNS).where(Event.mailing_id == mailing_id).order_by(Event.reader, Event.delivery_id),
        execution_options={"yield_per": _ROWS},
    )
    for reader, seen in groupby(map(seen_of, rows), key=lambda one: one.reader):
        tally.add(reader, seen)
    return tally
