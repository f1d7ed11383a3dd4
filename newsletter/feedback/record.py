"""signal -> subscriber: each signal kept once, and what follows from it done, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.audience.consents import Hand
from newsletter.audience.subscriptions import unsubscribe
from newsletter.audience.suppressions import suppress
from newsletter.db import insert_into
from newsletter.feedback.counts import Unused, count
from newsletter.feedback.policy import FULL_FOR, Action, decide, in_a_row
from newsletter.feedback.read import read
from newsletter.feedback.signal import Kind, Reason, Signal
from newsletter.feedback.trace import Found, Traces, find
from newsletter.models import Delivery, DeliveryState, SignalRecord, SuppressionReason
from newsletter.tracking.deliveries import Recipient, record_unsubscribe
from newsletter.tracking.tokens import Target

MAIL, SMTP = "mail", "smtp"
# What is kept of a message that is still being tried: it is shown, and counts nowhere.
DELAY = "delay"
# Reached some server: only these can have come back.
_TRIED = (DeliveryState.SENT, DeliveryState.REJECTED, DeliveryState.UNCERTAIN)
# So far back is looked for a row of failures that our own faults may interrupt.
_LOOK_BACK = 4


@dataclass(frozen=True, slots=True)
class Applied:
    """Signals about deliveries of ours: those that were `new`, and those that were `known` already."""

    new: list[Signal] = field(default_factory=list)
    known: list[Signal] = field(default_factory=list)


def apply_mail(session: Session, data: bytes, to: str, traces: Traces, now: datetime, soft_bounces: int) -> Applied:
    """Do what a message that came back to the envelope recipient `to` asks for."""
    signals = read(data)
    if not signals:
        count(session, MAIL, Unused.UNREAD, now)
    return apply(session, signals, MAIL, traces, now, soft_bounces, envelope=traces.envelope(to))


def apply(
    session: Session,
    signals: Iterable[Signal],
    via: str,
    traces: Traces,
    now: datetime,
    soft_bounces: int,
    *,
    envelope: Target | None = None,
) -> Applied:
    """Do what signals that came by one way ask for. Those that are not new are counted and change nothing.

    `envelope` is the delivery whose envelope sender they were sent to. What came by another way than mail was
    verified before, and may name a delivery by its address.
    """
    applied = Applied()
    for signal in signals:
        found = find(session, envelope or traces.message(signal.token), signal.address, now)
        if found is None:
            count(session, via, Unused.UNKNOWN, now)
        elif not keep(session, signal, found, via, now):
            count(session, via, Unused.REPLAYED, now)
            applied.known.append(signal)
        else:
            applied.new.append(signal)
            act(session, signal, found, via, now, soft_bounces)
    return applied


def keep(session: Session, signal: Signal, found: Found, via: str, now: datetime) -> bool:
    """Write a signal down. Whether it was new."""
    fresh = session.execute(
        insert_into(session, SignalRecord)
        .values(
            mailing_id=found.mailing_id,
            delivery_id=found.delivery_id,
            subscriber_id=found.subscriber_id,
            via=via,
            kind=DELAY if signal.delayed else signal.kind.value,
            severity=signal.severity.value,
            reason=signal.reason.value,
            status=signal.status[:20],
            words=signal.words,
            occurred_at=signal.when or now,
            source=_source(signal, found, via),
        )
        .on_conflict_do_nothing(index_elements=["source"])
        .returning(SignalRecord.id)
    )
    return fresh.first() is not None


def act(session: Session, signal: Signal, found: Found, via: str, now: datetime, soft_bounces: int) -> None:
    """Do what follows from a signal that was just kept."""
    source = f"{via}: {signal.words or signal.status or signal.reason.value}"
    match decide(signal, proven=found.proven or via != MAIL):
        case Action.SUPPRESS:
            suppress(session, found.email, SuppressionReason.BOUNCED, source, now)
        case Action.COMPLAIN:
            suppress(session, found.email, SuppressionReason.COMPLAINED, source, now)
            _unsubscribe(session, found, via, source, now)
        case Action.UNSUBSCRIBE:
            _unsubscribe(session, found, via, source, now)
        case Action.COUNT if in_a_row(_reasons(session, found, soft_bounces * _LOOK_BACK)) >= soft_bounces:
            until = now + FULL_FOR if signal.reason is Reason.FULL else None
            suppress(session, found.email, SuppressionReason.BOUNCED, source, now, until)


def _unsubscribe(session: Session, found: Found, via: str, words: str, now: datetime) -> None:
    if not unsubscribe(session, found.list_id, found.subscriber_id, now, hand=Hand(by=via), reason=words):
        return
    recipient = Recipient(found.mailing_id, found.delivery_id, found.list_id, found.subscriber_id, "", "")
    record_unsubscribe(session, recipient, via, now)


def _reasons(session: Session, found: Found, limit: int) -> list[set[Reason]]:
    """Why each of a subscriber's latest deliveries to this address bounced, if it did, the latest first."""
    tried = session.execute(
        select(Delivery.id, Delivery.mailing_id)
        .where(
            Delivery.subscriber_id == found.subscriber_id, Delivery.email == found.email, Delivery.state.in_(_TRIED)
        )
        .order_by(Delivery.mailing_id.desc())
        .limit(limit)
    ).all()
    reasons: dict[int, set[Reason]] = {delivery_id: set() for delivery_id, _ in tried}
    bounces = session.execute(
        select(SignalRecord.delivery_id, SignalRecord.reason).where(
            SignalRecord.subscriber_id == found.subscriber_id,
            SignalRecord.delivery_id.in_(reasons),
            SignalRecord.kind == Kind.BOUNCE.value,
        )
    )
    for delivery_id, reason in bounces:
        if delivery_id is not None:
            reasons[delivery_id].add(Reason(reason))
    return list(reasons.values())


def _source(signal: Signal, found: Found, via: str) -> str:
    """The same whenever the same event of the same delivery is told again by the same way."""
    named = signal.event or f"{signal.status} {signal.when} {signal.words}"
    told = "\0".join((via, signal.kind.value, str(found.delivery_id), named))
    return sha256(told.encode("utf-8", "replace")).hexdigest()
