"""Events of a mailing, in SQL and on their way there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, select, update
from sqlalchemy.orm import Session

from newsletter.bulk import is_among, load
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
_NAMES = ("mailing_id", *(column.key for column in COLUMNS[1:]))


@dataclass(slots=True)
class Seen:
    """An event with what it is judged to be; `id` is 0 for one that is not in SQL yet.

    `is_crowded`: whether its address was just found to have served a crowd (tracking.crowds).
    """

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
    is_crowded: bool = False


def seen_of(row: Sequence[Any]) -> Seen:
    """An event as a query of `COLUMNS` finds it."""
    number, delivery_id, reader, *rest = row
    return Seen(number, (delivery_id, reader), *rest)


def find_seen(session: Session, readers: Collection[Reader]) -> dict[Reader, list[Seen]]:
    """All that is known of what some readers did and that is to be judged: unsubscribing is not."""
    found: dict[Reader, list[Seen]] = defaultdict(list)
    deliveries = [delivery_id for delivery_id, _ in readers if delivery_id is not None]
    # Under the salt of one mailing, a name is of no reader of another.
    for column, values in ((Event.delivery_id, deliveries), (Event.reader, [name for _, name in readers if name])):
        if values:
            theirs = is_among(session, column, values)
            for row in session.execute(select(*COLUMNS).where(theirs, Event.kind != EventKind.UNSUBSCRIBE)):
                seen = seen_of(row)
                found[seen.reader].append(seen)
    return found


def insert_seen(session: Session, mailing_id: int, seen: Iterable[Seen]) -> None:
    """Put events into SQL."""
    rows = [_row(mailing_id, one) for one in seen]
    load(session, cast(Table, Event.__table__), _NAMES, rows)


def insert_new(session: Session, mailing_id: int, seen: Seen) -> bool:
    """Put an event into SQL, unless there is one of its source. Whether it was put in."""
    values = dict(zip(_NAMES, _row(mailing_id, seen), strict=True)) | {"occurred_at": seen.occurred_at}
    statement = insert_into(session, Event).values(values)
    new = session.execute(statement.on_conflict_do_nothing(index_elements=["source"]).returning(Event.id))
    return new.first() is not None


def _row(mailing_id: int, seen: Seen) -> tuple[Any, ...]:
    """The values of `_NAMES`, as `load` takes them."""
    return (
        mailing_id,
        *seen.reader,
        seen.kind.value,
        seen.link_number,
        seen.method,
        seen.user_agent,
        seen.ip,
        seen.domain,
        seen.verdict.value,
        seen.reason,
        f"{seen.occurred_at:%Y-%m-%d %H:%M:%S.%f}",
        seen.source,
    )


def save_verdicts(session: Session, changed: Iterable[Seen]) -> None:
    """Write the verdicts of events that are in SQL."""
    by_ruling: dict[tuple[Verdict, str], list[int]] = defaultdict(list)
    for one in changed:
        by_ruling[one.verdict, one.reason].append(one.id)
    for (verdict, reason), numbers in by_ruling.items():
        for start in range(0, len(numbers), _IN_A_STATEMENT):
            some = is_among(session, Event.id, numbers[start : start + _IN_A_STATEMENT])
            session.execute(
                update(Event).where(some).values(verdict=verdict, verdict_reason=reason),
                execution_options={"synchronize_session": False},
            )
