"""A canary: the first few of a mailing, judged before the rest follows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from newsletter.feedback.signal import Kind, Reason
from newsletter.mail.addresses import domain_of
from newsletter.models import Batch, Delivery, DeliveryState, Mailing, MailingStatus, SignalRecord
from newsletter.sending.ledger import Taken
from newsletter.sending.pace import closed_domains

# When more than this share of the canary is refused, the mailing pauses.
BEARABLE = 0.05
# Told of a message that is often still being tried.
_MAY_ARRIVE_YET = (Reason.EXPIRED.value, Reason.GREYLISTED.value, Reason.RATE.value, Reason.NETWORK.value)


def judge_canaries(session: Session, now: datetime) -> None:
    """Let the rest of each mailing follow whose canary fared well; pause the others, saying why.

    Those of a canary whose domain is left alone for a while are not waited for, once a server has said yes or no to
    any of the others: like those who were told later, they speak neither for the mailing nor against it.
    """
    waiting = session.scalars(
        select(Mailing)
        .where(
            Mailing.status == MailingStatus.SENDING,
            Mailing.canary.is_not(None),
            Mailing.canary_judged_at.is_(None),
        )
        .with_for_update(skip_locked=True)
    )
    for mailing in waiting:
        _judge(session, mailing, now)


def _judge(session: Session, mailing: Mailing, now: datetime) -> None:
    canary = session.execute(
        select(Batch.id, Batch.mailing_id, Batch.first_id, Batch.last_id)
        .where(Batch.mailing_id == mailing.id)
        .order_by(Batch.id)
        .limit(1)
    ).first()
    if canary is None:
        return
    holds = Taken(*canary).holds()
    states = dict(session.execute(select(Delivery.state, func.count()).where(holds).group_by(Delivery.state)).all())
    waiting = states.pop(DeliveryState.PENDING, 0)
    refused = states.get(DeliveryState.REJECTED, 0)
    if states.get(DeliveryState.CLAIMED):
        return
    if waiting and not ((states.get(DeliveryState.SENT) or refused) and _are_left_alone(session, holds, now)):
        return
    mailing.canary_judged_at = now
    tried = sum(states.values())
    bounced = _bounced(session, holds)
    refused += len(bounced)
    if refused > tried * BEARABLE:
        words = session.scalar(select(Delivery.reply).where(holds, Delivery.state == DeliveryState.REJECTED).limit(1))
        words = words or bounced[0]
        mailing.status = MailingStatus.PAUSED
        mailing.pause_reason = f"of the first {tried}, {refused} were refused: {words}"
        if waiting:
            mailing.pause_reason += f" ({waiting} more wait for a server that asked for quiet)"


def _bounced(session: Session, canary: ColumnElement[bool]) -> list[str]:
    """What came back about those whose server took the message first, for each in its words."""
    rows = session.execute(
        select(Delivery.id, SignalRecord.words)
        .join(SignalRecord, SignalRecord.delivery_id == Delivery.id)
        .where(
            canary,
            Delivery.state == DeliveryState.SENT,
            SignalRecord.kind == Kind.BOUNCE.value,
            SignalRecord.reason.not_in(_MAY_ARRIVE_YET),
        )
        .order_by(SignalRecord.id)
    )
    return list(dict(rows.all()).values())


def _are_left_alone(session: Session, canary: ColumnElement[bool], now: datetime) -> bool:
    """Whether the domains of all who are pending are closed."""
    closed = closed_domains(session, now)
    if not closed:
        return False
    emails = session.scalars(select(Delivery.email).where(canary, Delivery.state == DeliveryState.PENDING))
    return all(domain_of(email) in closed for email in emails)
