"""A mailing begins: its audience is frozen into deliveries, once, and cut into batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import ColumnElement, exists, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from newsletter.models import (
    Delivery,
    DeliveryState,
    Mailing,
    MailingStatus,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Suppression,
)

BATCH_SIZE = 100


@dataclass(frozen=True, slots=True)
class Batch:
    """A run of one mailing's deliveries, both ends included. Small enough to finish within seconds."""

    mailing_id: int
    first_id: int
    last_id: int


def plan(session: Session, mailing_id: int, now: datetime) -> list[Batch]:
    """Freeze the audience of a mailing that is due, and the batches to send. Nothing when it began already."""
    list_id = session.scalar(
        update(Mailing)
        .where(Mailing.id == mailing_id, Mailing.status == MailingStatus.SCHEDULED, Mailing.due_at <= now)
        .values(status=MailingStatus.SENDING, started_at=now)
        .returning(Mailing.list_id)
    )
    if list_id is None:
        return []
    _freeze(session, mailing_id, list_id)
    size, digest = _audience(session, mailing_id)
    session.execute(
        update(Mailing).where(Mailing.id == mailing_id).values(audience_size=size, audience_digest=digest)
    )
    return due_batches(session, mailing_id, now)


def due_batches(session: Session, mailing_id: int, now: datetime) -> list[Batch]:
    """The batches that hold every delivery of the mailing that may be sent now."""
    due = (
        select(Delivery.id, ((func.row_number().over(order_by=Delivery.id) - 1) // BATCH_SIZE).label("batch"))
        .where(Delivery.mailing_id == mailing_id, is_due(now))
        .subquery()
    )
    first = func.min(due.c.id)
    rows = session.execute(select(first, func.max(due.c.id)).group_by(due.c.batch).order_by(first))
    return [Batch(mailing_id, first_id, last_id) for first_id, last_id in rows]


def is_due(now: datetime) -> ColumnElement[bool]:
    """Whether a delivery waits to be sent: never tried, or deferred until a time that has come."""
    return or_(
        Delivery.state == DeliveryState.PENDING,
        (Delivery.state == DeliveryState.DEFERRED) & (Delivery.due_at <= now),
    )


def _freeze(session: Session, mailing_id: int, list_id: int) -> None:
    suppressed = exists().where(Suppression.email == Subscriber.email)
    audience = (
        select(literal(mailing_id), Subscriber.id, Subscriber.email, literal(DeliveryState.PENDING.value), literal(0))
        .join(Subscription, Subscription.subscriber_id == Subscriber.id)
        .where(Subscription.list_id == list_id, Subscription.status == SubscriptionStatus.ACTIVE, ~suppressed)
        .order_by(Subscriber.id)
    )
    columns = ["mailing_id", "subscriber_id", "email", "state", "attempts"]
    session.execute(insert(Delivery).from_select(columns, audience))


def _audience(session: Session, mailing_id: int) -> tuple[int, str]:
    """How many are in the frozen audience, and the SHA-256 of its `subscriber address` lines in order."""
    digest = sha256()
    size = 0
    rows = session.execute(
        select(Delivery.subscriber_id, Delivery.email)
        .where(Delivery.mailing_id == mailing_id)
        .order_by(Delivery.subscriber_id)
        .execution_options(yield_per=5000)
    )
    for subscriber_id, email in rows:
        digest.update(f"{subscriber_id} {email}\n".encode())
        size += 1
    return size, digest.hexdigest()
