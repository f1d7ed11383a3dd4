"""Old mailings made small: their deliveries go, their receipt and who they were for stay."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from newsletter.errors import ConflictError, NotFoundError
from newsletter.models import Batch, Delivery, Mailing, members
from newsletter.sending.ledger import Taken
from newsletter.sending.receipt import make_receipt
from newsletter.sending.verify import verify


def finished_before(session: Session, moment: datetime) -> list[int]:
    """The mailings that were finished before a moment and are not pruned through, the oldest first."""
    left = select(Batch.id).where(Batch.mailing_id == Mailing.id, Batch.members.is_(None)).exists()
    found = select(Mailing.id).where(Mailing.outcomes_digest.is_not(None), Mailing.finished_at < moment, left)
    return list(session.scalars(found.order_by(Mailing.id)))


def keep_receipt(session: Session, mailing_id: int, now: datetime) -> None:
    """Verify a closed mailing and keep its receipt, from which on `prune_batch` may take its deliveries.

    Raises NotFoundError or ConflictError, and keeps nothing, for a mailing that is not closed or does not verify.
    """
    mailing = session.get(Mailing, mailing_id, with_for_update=True)
    if mailing is None:
        raise NotFoundError(f"there is no mailing {mailing_id}: `newsletter mailing ls` lists them")
    if mailing.pruned_at is not None:
        return
    if mailing.outcomes_digest is None:
        raise ConflictError(f"mailing {mailing_id} is {mailing.status.value}: only finished mailings are pruned")
    receipt = make_receipt(session, mailing_id)
    verify(session, receipt)
    mailing.receipt, mailing.pruned_at = receipt.to_json(), now


def prune_batch(session: Session, mailing_id: int) -> int:
    """Take the deliveries of one more batch out of the ledger; how many, 0 once all are gone."""
    batch = session.execute(
        select(Batch.id, Batch.mailing_id, Batch.first_id, Batch.last_id)
        .where(Batch.mailing_id == mailing_id, Batch.members.is_(None))
        .order_by(Batch.id)
        .limit(1)
        .with_for_update()
    ).first()
    if batch is None:
        return 0
    taken = Taken(*batch)
    rows = session.execute(
        select(Delivery.id, Delivery.subscriber_id).where(taken.holds()).order_by(Delivery.id)
    ).all()
    packed = members.pack((delivery_id, subscriber_id) for delivery_id, subscriber_id in rows)
    session.execute(update(Batch).where(Batch.id == taken.batch_id).values(members=packed, seals=None))
    session.execute(delete(Delivery).where(taken.holds()).execution_options(synchronize_session=False))
    return len(rows)
