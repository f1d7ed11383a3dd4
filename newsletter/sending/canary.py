"""A canary: the first few of a mailing, judged before the rest follows."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.models import Batch, Delivery, DeliveryState, Mailing, MailingStatus
from newsletter.sending.ledger import Taken

# When more than this share of the canary is refused, the mailing pauses.
BEARABLE = 0.05


def judge_canaries(session: Session, now: datetime) -> None:
    """Let the rest of each mailing follow whose canary fared well; pause the others, saying why."""
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
    if states.get(DeliveryState.PENDING) or states.get(DeliveryState.CLAIMED):
        return
    mailing.canary_judged_at = now
    refused, tried = states.get(DeliveryState.REJECTED, 0), sum(states.values())
    if refused > tried * BEARABLE:
        words = session.scalar(select(Delivery.reply).where(holds, Delivery.state == DeliveryState.REJECTED).limit(1))
        mailing.status = MailingStatus.PAUSED
        mailing.pause_reason = f"of the first {tried}, {refused} were refused: {words}"
