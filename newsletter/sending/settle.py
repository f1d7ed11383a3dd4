"""Outcomes are written into the ledger: in bulk, and only over claims that are still the writer's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ARRAY, BigInteger, DateTime, String, Text, bindparam, cast, func, select, update
from sqlalchemy.orm import Session

from newsletter.mail.outcome import Outcome, Verdict
from newsletter.models import Delivery, DeliveryState, Mailing
from newsletter.sending.journal import Testimony
from newsletter.sending.ledger import DOUBT, UNDER_WAY, Claim

FIRST_RETRY = timedelta(minutes=1)
LAST_RETRY = timedelta(hours=4)

_STATES = {
    Verdict.SENT: DeliveryState.SENT,
    Verdict.DEFERRED: DeliveryState.DEFERRED,
    Verdict.REJECTED: DeliveryState.REJECTED,
    Verdict.UNCERTAIN: DeliveryState.UNCERTAIN,
}


class _Row(NamedTuple):
    """A settled delivery's columns."""

    id: int
    state: str
    reply: str
    settled_at: datetime | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a claim."""

    claim: Claim
    outcome: Outcome


def settle(session: Session, settlements: Sequence[Settlement], worker: str, now: datetime) -> None:
    """Write outcomes down. A claim that has meanwhile been called uncertain keeps what it was called."""
    rows = [_row(one.claim.delivery_id, one.claim.attempts, one.outcome, now) for one in settlements]
    _write(session, rows, worker)


def _write(session: Session, rows: Sequence[_Row], worker: str) -> None:
    if rows:
        write = _settle_in_bulk if session.get_bind().dialect.name == "postgresql" else _settle_one_by_one
        write(session, rows, worker)


def _settle_in_bulk(session: Session, rows: Sequence[_Row], worker: str) -> None:
    """One statement for all rows, which come as columns: what a statement costs is paid once."""
    ids, states, replies, settled, due = (list(column) for column in zip(*rows, strict=True))
    fresh = (
        func.unnest(
            cast(ids, ARRAY(BigInteger)),
            cast(states, ARRAY(String)),
            cast(replies, ARRAY(Text)),
            cast(settled, ARRAY(DateTime(timezone=True))),
            cast(due, ARRAY(DateTime(timezone=True))),
        )
        .table_valued(*_Row._fields, name="fresh")
        .render_derived()
    )
    session.execute(
        update(Delivery)
        .where(Delivery.id == fresh.c.id, Delivery.state == DeliveryState.CLAIMED, Delivery.claimed_by == worker)
        .values(state=fresh.c.state, reply=fresh.c.reply, settled_at=fresh.c.settled_at, due_at=fresh.c.due_at)
        .execution_options(synchronize_session=False)
    )


def _settle_one_by_one(session: Session, rows: Sequence[_Row], worker: str) -> None:
    table = Delivery.__table__
    session.connection().execute(
        update(Delivery)
        .where(
            table.c.id == bindparam("b_id"),
            table.c.state == DeliveryState.CLAIMED,
            table.c.claimed_by == worker,
        )
        .values({name: bindparam(f"b_{name}") for name in _Row._fields if name != "id"}),
        [{f"b_{name}": value for name, value in row._asdict().items()} for row in rows],
    )


def settle_for(session: Session, testimony: Testimony, now: datetime) -> None:
    """Settle what a dead worker had claimed, by its journal: what it had sent, what is in doubt, what never left."""
    mine = (
        Delivery.mailing_id.in_(select(Mailing.id).where(Mailing.status.in_(UNDER_WAY))),
        Delivery.state == DeliveryState.CLAIMED,
        Delivery.claimed_by == testimony.owner,
    )
    claimed = {row.id: row for row in session.execute(select(Delivery.id, Delivery.attempts).where(*mine))}
    doubt = Outcome(Verdict.UNCERTAIN, DOUBT)
    outcomes = dict(testimony.outcomes) | dict.fromkeys(testimony.doubtful, doubt)
    if not testimony.is_whole:
        outcomes = dict.fromkeys(claimed, doubt) | testimony.outcomes
    rows = [
        _row(delivery_id, claimed[delivery_id].attempts, outcome, now)
        for delivery_id, outcome in outcomes.items()
        if delivery_id in claimed
    ]
    _write(session, rows, testimony.owner)
    session.execute(
        update(Delivery)
        .where(*mine)
        .values(state=DeliveryState.PENDING, claimed_by=None, claimed_at=None)
        .execution_options(synchronize_session=False)
    )


def retry_at(attempts: int, now: datetime) -> datetime:
    """When a deferred delivery is due again: delays double from one minute to four hours."""
    doublings = min(max(attempts - 1, 0), 16)
    return now + min(FIRST_RETRY * (1 << doublings), LAST_RETRY)


def _row(delivery_id: int, attempts: int, outcome: Outcome, now: datetime) -> _Row:
    deferred = outcome.verdict is Verdict.DEFERRED
    return _Row(
        id=delivery_id,
        state=_STATES[outcome.verdict].value,
        reply=outcome.reply,
        settled_at=None if deferred else now,
        due_at=retry_at(attempts, now) if deferred else None,
    )
