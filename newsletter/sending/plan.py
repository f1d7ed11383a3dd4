"""A mailing begins: its audience is frozen into deliveries, once, and cut into batches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, exists, func, insert, literal, select
from sqlalchemy.orm import Session

from newsletter.audience.segments.to_sql import condition
from newsletter.models import (
    Batch,
    Delivery,
    DeliveryState,
    List,
    Mailing,
    MailingStatus,
    Publication,
    Subscriber,
    Subscription,
    is_mailable,
    is_mailed,
    new_salt,
    veiled,
)
from newsletter.sending.times import time_of_day
from newsletter.sending.zones import cohorts

BATCH_SIZE = 1000
ROWS_AT_A_TIME = 5000


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those of an audience who are due at the same moment: in these zones, or (None) all who are in no other."""

    due_at: datetime
    zones: tuple[str, ...] | None = None


def plan(session: Session, mailing_id: int, now: datetime) -> bool:
    """Freeze the audience of a mailing that is due into deliveries and batches; memory does not grow with it.

    False where the mailing is not due, began already, or is being planned by somebody else at this moment.
    """
    mailing = session.scalar(
        select(Mailing)
        .where(Mailing.id == mailing_id, Mailing.status == MailingStatus.SCHEDULED, Mailing.due_at <= now)
        .with_for_update(skip_locked=True)
    )
    if mailing is None:
        return False
    mailing.status, mailing.started_at = MailingStatus.SENDING, now
    audience = _Audience(mailing.canary, last_id=session.scalar(select(func.max(Delivery.id))) or 0)
    wanted = people_of(session, mailing.list_id, mailing.segment, now)
    for cohort in _cohorts(session, mailing, wanted):
        _freeze(session, mailing, cohort, wanted)
        audience.add(frozen(session, mailing_id, after=audience.last_id), cohort.due_at)
    if audience.batches:
        session.execute(insert(Batch), [{"mailing_id": mailing_id, **batch} for batch in audience.batches])
    mailing.audience_size, mailing.audience_digest = audience.size, audience.digest.hexdigest()
    session.flush()
    return True


def frozen(session: Session, mailing_id: int, after: int) -> Iterator[tuple[int, str]]:
    """The deliveries of a mailing whose number is above `after`, in order: their number, and their audience line."""
    rows = session.execute(
        select(Delivery.id, Delivery.subscriber_id, Delivery.email, Delivery.salt)
        .where(Delivery.mailing_id == mailing_id, Delivery.id > after)
        .order_by(Delivery.id)
        .execution_options(yield_per=ROWS_AT_A_TIME)
    )
    return (
        (delivery_id, f"{subscriber_id} {veiled(email, salt)}\n") for delivery_id, subscriber_id, email, salt in rows
    )


class _Audience:
    """Counts, hashes and cuts an audience as it streams by. A canary goes first, in a batch of its own."""

    def __init__(self, canary: int | None, last_id: int) -> None:
        self.digest = sha256()
        self.size = 0
        self.last_id = last_id
        self.batches: list[dict[str, Any]] = []
        self._next_size = canary or BATCH_SIZE

    def add(self, rows: Iterator[tuple[int, str]], due_at: datetime) -> None:
        while chunk := list(islice(rows, self._next_size)):
            self._next_size = BATCH_SIZE
            self.digest.update("".join(line for _, line in chunk).encode())
            self.size += len(chunk)
            self.last_id = chunk[-1][0]
            self.batches.append(
                {"first_id": chunk[0][0], "last_id": self.last_id, "size": len(chunk), "due_at": due_at}
            )


def _cohorts(session: Session, mailing: Mailing, wanted: Select[int, str]) -> list[Cohort]:
    """One for each moment at which somebody's clock shows the hour; the last is of those without a zone."""
    if mailing.local_time is None:
        return [Cohort(mailing.due_at)]
    zone = session.scalars(
        select(Publication.timezone)
        .join(List, List.publication_id == Publication.id)
        .where(List.id == mailing.list_id)
    ).one()
    found = session.scalars(wanted.with_only_columns(Subscriber.timezone).distinct())
    hour = time_of_day(mailing.local_time, "--local-time")
    moments = cohorts(mailing.due_at, hour, {"", *(name for name in found if name)}, ZoneInfo(zone))
    rest = moments.pop("")
    by_moment: dict[datetime, list[str]] = {}
    for name, moment in sorted(moments.items()):
        if moment != rest:
            by_moment.setdefault(moment, []).append(name)
    return [*(Cohort(moment, tuple(by_moment[moment])) for moment in sorted(by_moment)), Cohort(rest)]


def audience_of(list_id: int, now: datetime, *narrowed_by: ColumnElement[bool]) -> Select[int, str]:
    """The subscribers, by number and address, to whom a mailing to this list goes when it begins at `now`.

    Only those who meet every condition it is `narrowed_by` (audience.segments).
    """
    return (
        select(Subscriber.id, Subscriber.email)
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(
            Subscription.list_id == list_id,
            is_mailed(now),
            is_mailable(Subscriber.email, now),
            *narrowed_by,
        )
    )


def people_of(session: Session, list_id: int, segment: str | None, now: datetime) -> Select[int, str]:
    """The audience of a list, or of a segment (its expression) of it. Raises ExpressionError, NotFoundError."""
    return audience_of(list_id, now, condition(session, segment, list_id, now))


def count_people(session: Session, people: Select[int, str]) -> int:
    """How many an audience has."""
    return session.scalar(people.with_only_columns(func.count())) or 0


def _freeze(session: Session, mailing: Mailing, cohort: Cohort, wanted: Select[int, str]) -> None:
    """Make a cohort's deliveries, numbered in the order of its subscribers."""
    audience = wanted.with_only_columns(
        literal(mailing.id),
        Subscriber.id,
        Subscriber.email,
        literal(DeliveryState.PENDING.value),
        literal(0),
        new_salt(),
    ).order_by(Subscriber.id)
    if cohort.zones is not None:
        audience = audience.where(Subscriber.timezone.in_(cohort.zones))
    elif mailing.local_time is not None:
        planned = exists().where(Delivery.subscriber_id == Subscriber.id, Delivery.mailing_id == mailing.id)
        audience = audience.where(~planned)
    columns = ["mailing_id", "subscriber_id", "email", "state", "attempts", "salt"]
    session.execute(insert(Delivery).from_select(columns, audience))
