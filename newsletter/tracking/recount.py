"""A mailing's verdicts and rollups made again from its events: a few readers in a transaction, so that nothing waits
long, and the events that come in meanwhile are neither lost nor counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from newsletter.bulk import look_up_by_index
from newsletter.db import Database
from newsletter.errors import ConflictError
from newsletter.models import Event, EventKind, Mailing, lock_events
from newsletter.tracking.addressees import Posted
from newsletter.tracking.crowds import Crowds
from newsletter.tracking.judging import settle
from newsletter.tracking.rollups import change
from newsletter.tracking.seen import COLUMNS, NOBODY, Reader, Seen, find_seen, seen_of
from newsletter.tracking.whole import check_whole, posted_to, readers_of, visits_of, wrong_counts

READERS = 1000
_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Recounted:
    """Of how many events the verdict changed, and how many counts were wrong."""

    verdicts: int
    counts: int


def recount(database: Database, mailing_id: int, now: datetime) -> Recounted:
    """Judge and count the events of a mailing again.

    What rested on an address or a time of delivery that is no longer known stays as it was judged. Raises
    NotFoundError for an unknown mailing; ConflictError, and changes nothing, where events that were counted are gone,
    and where somebody else counts the same mailing again at the same time.
    """
    with database.read() as session:
        check_whole(session, mailing_id)
        readers = readers_of(session, mailing_id)
        posted = posted_to(session, mailing_id, set(readers))
        crowds = Crowds(visits_of(session, mailing_id))
    verdicts = 0
    for start in range(0, len(readers), READERS):
        some = [reader for reader in readers[start : start + READERS] if reader != NOBODY]
        with database.write() as session:
            _prepare(session, mailing_id)
            verdicts += _judge(session, mailing_id, find_seen(session, some), posted, crowds)
    if NOBODY in readers:
        verdicts += _judge_nobodys(database, mailing_id, crowds)
    with database.read() as session:
        before, wrong = wrong_counts(session, mailing_id)
    with database.write() as session:
        _prepare(session, mailing_id)
        _claim(session, mailing_id, before, now)
        # Whatever came in since was counted by what it changed, and so is this.
        change(session, mailing_id, wrong)
    return Recounted(verdicts, len(wrong))


def _prepare(session: Session, mailing_id: int) -> None:
    look_up_by_index(session)
    lock_events(session, [mailing_id])


def _judge(
    session: Session, mailing_id: int, seen: dict[Reader, list[Seen]], posted: dict[Reader, Posted], crowds: Crowds
) -> int:
    for of_reader in seen.values():
        for one in of_reader:
            one.is_crowded = crowds.holds(one.ip, one.occurred_at)
    return settle(session, mailing_id, seen, posted)


def _judge_nobodys(database: Database, mailing_id: int, crowds: Crowds) -> int:
    """Those that no reader can be told from, in the order of their numbers."""
    of_nobody = (
        Event.mailing_id == mailing_id,
        Event.delivery_id.is_(None),
        Event.reader == "",
        Event.kind != EventKind.UNSUBSCRIBE,
    )
    verdicts = last = 0
    while True:
        with database.write() as session:
            lock_events(session, [mailing_id])
            found = select(*COLUMNS).where(*of_nobody, Event.id > last).order_by(Event.id).limit(_ROWS)
            seen = [seen_of(row) for row in session.execute(found)]
            if not seen:
                return verdicts
            last = seen[-1].id
            verdicts += _judge(session, mailing_id, {NOBODY: seen}, {}, crowds)


def _claim(session: Session, mailing_id: int, before: datetime | None, now: datetime) -> None:
    """Be the one who counted the mailing again, unless somebody else did since."""
    unchanged = Mailing.recounted_at.is_(None) if before is None else Mailing.recounted_at == before
    mine = update(Mailing).where(Mailing.id == mailing_id, unchanged).values(recounted_at=now)
    if session.execute(mine.returning(Mailing.id)).first() is None:
        raise ConflictError(f"somebody else counts mailing {mailing_id} again: wait until they are done")
