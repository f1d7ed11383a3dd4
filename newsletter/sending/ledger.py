"""The ledger: one row a recipient, moved only by the conditional updates here and in `settle.py`.

pending -> claimed -> sent | deferred | rejected | uncertain
pending -> suppressed, where the subscriber left or was suppressed since the audience was frozen
deferred -> claimed, once its time has come
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, exists, or_, select, update
from sqlalchemy.orm import Session

from newsletter.models import (
    OPEN_STATES,
    Delivery,
    DeliveryState,
    Mailing,
    MailingStatus,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Suppression,
)
from newsletter.sending.plan import Batch, is_due

# Far longer than a batch can take; a claim this old belongs to a worker that is gone.
LEASE = timedelta(minutes=15)

# A paused mailing may still have claims, of workers that were at it.
UNDER_WAY = (MailingStatus.SENDING, MailingStatus.PAUSED)
DOUBT = "the worker stopped before it could say whether this was sent"


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker, and no other, may send now."""

    delivery_id: int
    email: str
    first_name: str
    last_name: str
    attributes: dict[str, str]
    attempts: int


def claim(session: Session, batch: Batch, worker: str, now: datetime) -> list[Claim]:
    """Take what is due of a batch, in one statement that also looks again at unsubscribes and suppressions.

    Nothing is taken twice, however often the batch is delivered, nor while the mailing is not `sending`.
    """
    wanted = exists().where(
        Subscription.list_id == Mailing.list_id,
        Subscription.subscriber_id == Delivery.subscriber_id,
        Subscription.status == SubscriptionStatus.ACTIVE,
        Mailing.id == Delivery.mailing_id,
    )
    unwanted = or_(~wanted, exists().where(Suppression.email == Delivery.email))
    taken = session.execute(
        update(Delivery)
        .where(
            Delivery.mailing_id == batch.mailing_id,
            Delivery.id.between(batch.first_id, batch.last_id),
            is_due(now),
            exists().where(Mailing.id == batch.mailing_id, Mailing.status == MailingStatus.SENDING),
        )
        .values(
            state=case((unwanted, DeliveryState.SUPPRESSED.value), else_=DeliveryState.CLAIMED.value),
            settled_at=case((unwanted, now), else_=None),
            claimed_by=worker,
            claimed_at=now,
            attempts=Delivery.attempts + 1,
        )
        .returning(Delivery.id, Delivery.state)
        .execution_options(synchronize_session=False)
    )
    ids = [delivery_id for delivery_id, state in taken if state == DeliveryState.CLAIMED]
    rows = session.execute(
        select(
            Delivery.id,
            Delivery.email,
            Subscriber.first_name,
            Subscriber.last_name,
            Subscriber.attributes,
            Delivery.attempts,
        )
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(Delivery.id.in_(ids))
        .order_by(Delivery.id)
    )
    return [Claim(*row) for row in rows]


def recover(session: Session, now: datetime) -> int:
    """Call claims uncertain whose worker is gone: nobody knows what it had sent. How many there were."""
    lost = session.execute(
        update(Delivery)
        .where(
            Delivery.mailing_id.in_(select(Mailing.id).where(Mailing.status.in_(UNDER_WAY))),
            Delivery.state == DeliveryState.CLAIMED,
            Delivery.claimed_at < now - LEASE,
        )
        .values(
            state=DeliveryState.UNCERTAIN,
            settled_at=now,
            reply=DOUBT,
        )
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return len(lost.all())


def close(session: Session, mailing_id: int, now: datetime) -> bool:
    """Close a mailing once no delivery is open. Whether this call closed it."""
    closed = session.execute(
        update(Mailing)
        .where(
            Mailing.id == mailing_id,
            Mailing.status == MailingStatus.SENDING,
            ~exists().where(Delivery.mailing_id == mailing_id, Delivery.state.in_(OPEN_STATES)),
        )
        .values(status=MailingStatus.SENT, finished_at=now)
        .returning(Mailing.id)
        .execution_options(synchronize_session=False)
    )
    return closed.first() is not None
