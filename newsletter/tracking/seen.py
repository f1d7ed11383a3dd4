"""Events of a mailing, in SQL and on their way there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from newsletter.db import insert_into
from newsletter.models import Event, EventKind, Verdict

# A reader of a mailing: a delivery, or the name of one without a person (models.reader_name), or neither.
Reader = tuple[int | None, str]
NOBODY: Reader = (None, "")
# SQLite takes 32,766 variables in a statement.
_IN_A_STATEMENT = 10_000

COLUMNS = (
    Event.id,
    Event.delivery_id,
    Event.reader,
    Event.kind,
    Event.link_number,
    Event.method,
    Event.user_agent,
    Event.ip,
    Event.domain,
    Event.verdict,
    Event.verdict_reason,
    Event.occurred_at,
    Event.source,
)


@dataclass(slots=True)
class Seen:
    """An event with what it is judged to be; `id` is 0 for one that is not in SQL yet."""

    id: int
    reader: Reader
    kind: EventKind
    link_number: int | None
    method: str
    user_agent: str
    ip: str | None
    domain: str
    verdict: Verdict
    reason: str
    occurred_at: datetime
    source: str


def seen_of(row: Sequence[Any]) -> Seen:
    """An event as a query of `COLUMNS` finds it."""
    number, delivery_id, reader, *rest = row
    return Seen(number, (delivery_id, reader), *rest)


def find_seen(session: Session, mailing_id: int, readers: Collection[Reader]) -> dict[Reader, list[Seen]]:
    """All that is known of what some readers did and that is to be judged: unsubscribing is not."""
    found: dict[Reader, list[Seen]] = defaultdict(list)
    deliveries = [delivery_id for delivery_id, _ in readers if delivery_id is not None]
    names = [name for _, name in readers if name]
    of_them = or_(Event.delivery_id.in_(deliveries), Event.reader.in_(names))
    rows = session.execute(
        select(*COLUMNS).where(Event.mailing_id == mailing_id, of_them, Event.kind != EventKind.UNSUBSCRIBE)
    )
    for row in rows:
        seen = seen_of(row)
        found[seen.reader].append(seen)
    return found


def insert_seen(session: Session, mailing_id: int, seen: Iterable[Seen]) -> None:
    """Put events into SQL."""
    rows = [_row(mailing_id, one) for one in seen]
    if rows:
        session.execute(insert(Event.__table__), rows)  # type: ignore[arg-type]


def insert_new(session: Session, mailing_id: int, seen: Seen) -> bool:
    """Put an event into SQL, unless there is one of its source. Whether it was put in."""
    statement = insert_into(session, Event).values(_row(mailing_id, seen))
    new = session.execute(statement.on_conflict_do_nothing(index_elements=["source"]).returning(Event.id))
    return new.first() is not None


def _row(mailing_id: int, seen: Seen) -> dict[str, Any]:
    delivery_id, reader = seen.reader
    return {
        "mailing_id": mailing_id,
        "delivery_id": delivery_id,
        "reader": reader,
        "kind": seen.kind,
        "link_number": seen.link_number,
        "method": seen.method,
        "user_agent": seen.user_agent,
        "ip": seen.ip,
        "domain": seen.domain,
        "verdict": seen.verdict,
        "verdict_reason": seen.reason,
        "occurred_at": seen.occurred_at,
        "source": seen.source,
    }


def save_verdicts(session: Session, changed: Iterable[Seen]) -> None:
    """Write the verdicts of events that are in SQL."""
    by_ruling: dict[tuple[Verdict, str], list[int]] = defaultdict(list)
    for one in changed:
        by_ruling[one.verdict, one.reason].append(one.id)
    for (verdict, reason), numbers in by_ruling.items():
        for start in range(0, len(numbers), _IN_A_STATEMENT):
            some = Event.id.in_(numbers[start : start + _IN_A_STATEMENT])
            session.execute(
                update(Event).where(some).values(verdict=verdict, verdict_reason=reason),
                execution_options={"synchronize_session": False},
            )
