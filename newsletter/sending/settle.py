"""Outcomes are written into the ledger: in bulk, and only over claims that are still the writer's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import ARRAY, BigInteger, ColumnElement, String, Text, bindparam, cast, column, func, select, update
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from newsletter.config import Settings
from newsletter.db import is_postgresql
from newsletter.feedback.inline import note_rejections
from newsletter.mail.outcome import Outcome, Verdict
from newsletter.mail.refusals import ABOUT_THE_RECIPIENT, classify
from newsletter.models import Delivery, DeliveryState, Mailing, MailingStatus
from newsletter.models.base import UtcDateTime

FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=4)

_TYPES: Mapping[str, TypeEngine[Any]] = {
    "id": BigInteger(),
    "state": String(),
    "settled_at": UtcDateTime(),
    "due_at": UtcDateTime(),
    "deferred_since": UtcDateTime(),
    "refusal": String(),
    "reply": Text(),
}


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a recipient whose server says “later” is tried, and after how many soft bounces in a row no more."""

    retry_for: timedelta
    soft_bounces: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As the settings have it."""
        return cls(timedelta(hours=settings.retry_hours), settings.soft_bounces)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claim; `attempts` and `deferred_since` are the claim's."""

    delivery_id: int
    attempts: int
    deferred_since: datetime | None
    outcome: Outcome


def settle(
    session: Session, settlements: Sequence[Settlement], owner: str, now: datetime, patience: Patience
) -> None:
    """Write outcomes down, and do what follows for recipients that were refused.

    A claim that has meanwhile been called uncertain keeps what it was called.

    A deferred delivery is due again after a growing delay; once it was first deferred `patience.retry_for` ago it
    is rejected, with the server's last words. Whoever was refused for no fault of theirs, while the mailing is
    paused, stays claimed, to be put back with the batch and tried again once the mailing goes on.
    """
    spared = _spared(session, settlements)
    settlements = [one for one in settlements if one.delivery_id not in spared]
    sent = [(one.delivery_id, one.outcome.reply) for one in settlements if one.outcome.verdict is Verdict.SENT]
    fixed = {"state": DeliveryState.SENT, "settled_at": now, "due_at": None}
    _write(session, ("id", "reply"), sent, fixed, owner)
    others = [_row(one, now, patience.retry_for) for one in settlements if one.outcome.verdict is not Verdict.SENT]
    _write(session, tuple(_TYPES), others, {}, owner)
    rejected = DeliveryState.REJECTED.value
    note_rejections(session, [row[0] for row in others if row[1] == rejected], now, patience.soft_bounces)


def retry_at(attempts: int, now: datetime) -> datetime:
    """When a deferred delivery is due again: delays double from one minute to four hours."""
    doublings = min(max(attempts - 1, 0), 16)
    return now + min(FIRST_RETRY * (1 << doublings), LAST_RETRY)


def _spared(session: Session, settlements: Sequence[Settlement]) -> set[int]:
    """Those whose refusal is not to count."""
    refused = [one.delivery_id for one in settlements if _is_blameless(one.outcome)]
    if not refused:
        return set()
    # Locked, so that whoever pauses the mailing at this moment finds these refusals written down.
    rows = session.execute(
        select(Delivery.id, Mailing.status)
        .join(Mailing, Mailing.id == Delivery.mailing_id)
        .where(Delivery.id.in_(refused))
        .with_for_update(read=True, of=Mailing)
    )
    return {delivery_id for delivery_id, status in rows if status is MailingStatus.PAUSED}


def _is_blameless(outcome: Outcome) -> bool:
    return outcome.verdict is Verdict.REJECTED and classify(outcome.reply) not in ABOUT_THE_RECIPIENT


def _row(one: Settlement, now: datetime, retry_for: timedelta) -> tuple[Any, ...]:
    """A settled delivery's columns, in the order of `_TYPES`."""
    since, reply = one.deferred_since, one.outcome.reply
    match one.outcome.verdict:
        case Verdict.UNCERTAIN:
            return one.delivery_id, DeliveryState.UNCERTAIN.value, now, None, since, None, reply
        case Verdict.DEFERRED if since is None or now - since < retry_for:
            due_at = retry_at(one.attempts, now)
            return one.delivery_id, DeliveryState.DEFERRED.value, None, due_at, since or now, None, reply
    return one.delivery_id, DeliveryState.REJECTED.value, now, None, since, classify(reply).value, reply


def _write(
    session: Session, names: Sequence[str], rows: Sequence[tuple[Any, ...]], fixed: Mapping[str, Any], owner: str
) -> None:
    if rows:
        (_write_in_bulk if is_postgresql(session) else _write_one_by_one)(session, names, rows, fixed, owner)


def _write_in_bulk(
    session: Session, names: Sequence[str], rows: Sequence[tuple[Any, ...]], fixed: Mapping[str, Any], owner: str
) -> None:
    """One statement for all rows, which come as columns: what a statement costs is paid once."""
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    arrays = [cast(list(values), ARRAY(_TYPES[name])) for name, values in columns.items()]
    fresh = (
        func.unnest(*arrays)
        .table_valued(*(column(name, _TYPES[name]) for name in names), name="fresh")
        .render_derived()
    )
    session.execute(
        update(Delivery)
        .where(Delivery.id == fresh.c.id, *_is_claimed_by(owner))
        .values({**fixed, **{name: fresh.c[name] for name in names if name != "id"}})
        .execution_options(synchronize_session=False)
    )


def _write_one_by_one(
    session: Session, names: Sequence[str], rows: Sequence[tuple[Any, ...]], fixed: Mapping[str, Any], owner: str
) -> None:
    values = {**fixed, **{name: bindparam(f"b_{name}") for name in names if name != "id"}}
    table = Delivery.__table__
    session.connection().execute(
        update(Delivery).where(table.c.id == bindparam("b_id"), *_is_claimed_by(owner)).values(values),
        [{f"b_{name}": value for name, value in zip(names, row, strict=True)} for row in rows],
    )


def _is_claimed_by(owner: str) -> tuple[ColumnElement[bool], ...]:
    table = Delivery.__table__
    return table.c.state == DeliveryState.CLAIMED, table.c.claimed_by == owner
