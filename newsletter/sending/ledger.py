"""The ledger: one row a recipient, moved only by the conditional updates here and in `settle.py`.

pending -> claimed -> sent | deferred | rejected | uncertain
pending -> suppressed, where the subscriber left or was suppressed since the audience was frozen
deferred -> claimed, once its time has come
claimed -> pending, where a worker gives back what it has not sent
pending, deferred -> cancelled
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select, true, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from newsletter.mail.addresses import domain_of
from newsletter.models import (
    OPEN_STATES,
    Batch,
    Delivery,
    DeliveryState,
    Mailing,
    MailingStatus,
    Subscriber,
    Subscription,
    Tracking,
    is_mailed,
    is_suppressed,
)
from newsletter.sending.seal import digest_of, seal

_SILENT = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch that this worker, and no other, has: a run of one mailing's deliveries, both ends included."""

    batch_id: int
    mailing_id: int
    first_id: int
    last_id: int

    def holds(self) -> ColumnElement[bool]:
        """Whether a delivery is of this batch."""
        return and_(Delivery.id.between(self.first_id, self.last_id), Delivery.mailing_id == self.mailing_id)


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker, and no other, may send now."""

    delivery_id: int
    email: str
    first_name: str
    last_name: str
    attributes: dict[str, str]
    language: str
    timezone: str
    attempts: int
    deferred_since: datetime | None
    tracking: Tracking | None = None


def take(
    session: Session,
    mailing_id: int,
    owner: str,
    now: datetime,
    *,
    resting: Collection[str] = (),
    last: int | None = None,
) -> Taken | None:
    """Take the batch of a mailing that has been due longest and that nobody has; None where there is none."""
    free = (
        select(Batch.id)
        .where(is_free(mailing_id, now, resting, last))
        .order_by(Batch.due_at, Batch.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.execute(
        update(Batch)
        .where(Batch.id == free.scalar_subquery())
        .values(taken_by=owner, taken_at=now)
        .returning(Batch.id, Batch.mailing_id, Batch.first_id, Batch.last_id)
        .execution_options(**_SILENT)
    ).first()
    return Taken(*row) if row else None


def is_free(
    mailing_id: int | InstrumentedAttribute[int],
    now: datetime,
    resting: Collection[str] = (),
    last: int | None = None,
) -> ColumnElement[bool]:
    """Whether a batch of the mailing is due and nobody has it.

    Batches that wait for one of the `resting` domains are not free, nor those after the one numbered `last`.
    """
    free = [Batch.mailing_id == mailing_id, Batch.due_at <= now, Batch.taken_by.is_(None)]
    if resting:
        free.append(or_(Batch.waits_for.is_(None), Batch.waits_for.not_in(resting)))
    if last is not None:
        free.append(Batch.id <= last)
    return and_(*free)


def is_due(now: datetime) -> ColumnElement[bool]:
    """Whether a delivery waits to be sent: never tried, or deferred until a time that has come."""
    return or_(
        Delivery.state == DeliveryState.PENDING,
        (Delivery.state == DeliveryState.DEFERRED) & (Delivery.due_at <= now),
    )


def due(session: Session, taken: Taken, now: datetime) -> list[tuple[int, str]]:
    """What may be claimed of a batch, each with its recipient's domain in ASCII."""
    rows = session.execute(
        select(Delivery.id, Delivery.email).where(taken.holds(), is_due(now)).order_by(Delivery.id)
    )
    return [(delivery_id, domain_of(email)) for delivery_id, email in rows]


def claim(
    session: Session, taken: Taken, owner: str, now: datetime, *, only: Sequence[int] | None = None
) -> list[Claim]:
    """Claim what is due of a batch, or `only` these of it, and look again at unsubscribes and suppressions.

    Nothing is claimed twice, nor while the mailing is not `sending`.
    """
    wanted = exists().where(
        Subscription.list_id == Mailing.list_id,
        Subscription.subscriber_id == Delivery.subscriber_id,
        is_mailed(now),
        Mailing.id == taken.mailing_id,
    )
    unwanted = or_(~wanted, is_suppressed(Delivery.email, now))
    session.execute(
        update(Delivery)
        .where(
            taken.holds(),
            is_due(now),
            true() if only is None else Delivery.id.in_(only),
            exists().where(Mailing.id == taken.mailing_id, Mailing.status == MailingStatus.SENDING),
        )
        .values(
            state=case((unwanted, DeliveryState.SUPPRESSED.value), else_=DeliveryState.CLAIMED.value),
            settled_at=case((unwanted, now), else_=None),
            claimed_by=owner,
            attempts=Delivery.attempts + 1,
        )
        .execution_options(**_SILENT)
    )
    rows: Iterable[Any] = session.execute(
        select(
            Delivery.id,
            Delivery.email,
            Subscriber.first_name,
            Subscriber.last_name,
            Subscriber.attributes,
            Subscriber.language,
            Subscriber.timezone,
            Delivery.attempts,
            Delivery.deferred_since,
            Subscriber.tracking,
        )
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(taken.holds(), Delivery.state == DeliveryState.CLAIMED, Delivery.claimed_by == owner)
        .order_by(Delivery.id)
    )
    return [Claim(*row) for row in rows]


def put_back(
    session: Session,
    taken: Taken,
    owner: str,
    now: datetime,
    *,
    not_before: datetime | None = None,
    waits_for: str | None = None,
) -> None:
    """Give a batch back, with the claims on it that were not sent; it is sealed once every recipient has an outcome.

    What is left is due at once, `not_before` a time, or once `waits_for`'s pace allows. Does nothing to a batch that
    is no longer the owner's.
    """
    # Locked first, so that nobody reopens a recipient between the counting and the sealing.
    found = session.execute(
        select(Mailing.status, Batch.due_at)
        .join(Batch, Batch.mailing_id == Mailing.id)
        .where(Batch.id == taken.batch_id, Batch.taken_by == owner)
        .with_for_update(of=Batch)
    ).first()
    if found is None:
        return
    status, was_due_at = found
    _release(session, taken, owner)
    if status is MailingStatus.CANCELLED:
        _cancel_rest(session, taken, now)
    pending, deferred, next_due = session.execute(
        select(
            func.count().filter(Delivery.state == DeliveryState.PENDING),
            func.count().filter(Delivery.state == DeliveryState.DEFERRED),
            func.min(Delivery.due_at).filter(Delivery.state == DeliveryState.DEFERRED),
        ).where(taken.holds(), Delivery.state.in_(OPEN_STATES))
    ).one()
    values: dict[str, Any] = {"taken_by": None, "due_at": None, "waits_for": None, "seals": None, "digest": None}
    if pending and waits_for and not deferred:
        values |= {"due_at": was_due_at, "waits_for": waits_for}
    elif pending:
        # Due since then, which stays true when the clock is set back.
        values["due_at"] = min(filter(None, (not_before or was_due_at, next_due)))
    elif deferred:
        values["due_at"] = next_due
    else:
        values["seals"], values["digest"] = seal(session, taken.holds())
    session.execute(update(Batch).where(Batch.id == taken.batch_id).values(values).execution_options(**_SILENT))


def batches_of(session: Session, owner: str) -> list[Taken]:
    """The batches that a worker has."""
    rows = session.execute(
        select(Batch.id, Batch.mailing_id, Batch.first_id, Batch.last_id).where(Batch.taken_by == owner)
    )
    return [Taken(*row) for row in rows]


def close(session: Session, mailing_id: int, now: datetime) -> bool:
    """Close a mailing once no recipient is without an outcome. Whether this call closed it."""
    mailing = session.scalar(
        select(Mailing)
        .where(
            Mailing.id == mailing_id,
            Mailing.status.in_((MailingStatus.SENDING, MailingStatus.CANCELLED)),
            Mailing.audience_size.is_not(None),
            Mailing.finished_at.is_(None),
        )
        .with_for_update(skip_locked=True)
    )
    # Asked once the mailing is locked: whoever reopens a recipient locks it too.
    of_mailing = Batch.mailing_id == mailing_id
    if mailing is None or session.scalar(select(exists().where(of_mailing, Batch.digest.is_(None)))):
        return False
    digests = session.scalars(select(Batch.digest).where(of_mailing).order_by(Batch.id))
    mailing.outcomes_digest = digest_of(digest for digest in digests if digest)
    mailing.finished_at = now
    if mailing.status is MailingStatus.SENDING:
        mailing.status = MailingStatus.SENT
    session.flush()
    return True


def _release(session: Session, taken: Taken, owner: str) -> None:
    session.execute(
        update(Delivery)
        .where(taken.holds(), Delivery.state == DeliveryState.CLAIMED, Delivery.claimed_by == owner)
        .values(state=DeliveryState.PENDING, claimed_by=None, attempts=Delivery.attempts - 1)
        .execution_options(**_SILENT)
    )


def _cancel_rest(session: Session, taken: Taken, now: datetime) -> None:
    """Nobody waits for a mailing that was cancelled."""
    session.execute(
        update(Delivery)
        .where(
            taken.holds(),
            Delivery.state.in_((DeliveryState.PENDING, DeliveryState.DEFERRED)),
        )
        .values(state=DeliveryState.CANCELLED, settled_at=now)
        .execution_options(**_SILENT)
    )
