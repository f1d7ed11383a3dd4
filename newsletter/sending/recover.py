"""What workers left behind that are gone: settled by their journals, or called uncertain."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.mail.outcome import Outcome, Verdict
from newsletter.models import Batch, Delivery, DeliveryState
from newsletter.sending.journal import Testimony
from newsletter.sending.ledger import Taken, batches_of, put_back
from newsletter.sending.settle import Patience, Settlement, settle

DOUBT = Outcome(Verdict.UNCERTAIN, "the worker stopped before it could say whether this was sent")


def settle_for(session: Session, testimony: Testimony, now: datetime, patience: Patience) -> None:
    """Settle what a worker had, by its journal: what it had sent, what is in doubt, what never left."""
    for taken in batches_of(session, testimony.owner):
        outcomes = testimony.outcomes | dict.fromkeys(testimony.doubtful, DOUBT)
        if not testimony.is_whole:
            outcomes = dict.fromkeys(_claimed(session, taken, testimony.owner), DOUBT) | testimony.outcomes
        _settle(session, taken, testimony.owner, outcomes, now, patience)


def recover(session: Session, alive: Collection[str], lease: timedelta, now: datetime, patience: Patience) -> int:
    """Call claims uncertain that are older than the lease: nobody knows what their worker had sent. How many.

    Those of the workers known to be `alive` are left to them, whatever the clock says.
    """
    lost = session.execute(
        select(Batch.id, Batch.mailing_id, Batch.first_id, Batch.last_id, Batch.taken_by)
        .where(Batch.taken_by.is_not(None), Batch.taken_by.not_in(alive), Batch.taken_at < now - lease)
        .with_for_update(skip_locked=True)
    ).all()
    count = 0
    for *batch, owner in lost:
        taken = Taken(*batch)
        claimed = _claimed(session, taken, str(owner))
        _settle(session, taken, str(owner), dict.fromkeys(claimed, DOUBT), now, patience)
        count += len(claimed)
    return count


def _claimed(session: Session, taken: Taken, owner: str) -> dict[int, tuple[int, datetime | None]]:
    rows = session.execute(
        select(Delivery.id, Delivery.attempts, Delivery.deferred_since).where(
            taken.holds(), Delivery.state == DeliveryState.CLAIMED, Delivery.claimed_by == owner
        )
    )
    return {delivery_id: (attempts, since) for delivery_id, attempts, since in rows}


def _settle(
    session: Session, taken: Taken, owner: str, outcomes: dict[int, Outcome], now: datetime, patience: Patience
) -> None:
    settlements = [
        Settlement(delivery_id, *facts, outcomes[delivery_id])
        for delivery_id, facts in _claimed(session, taken, owner).items()
        if delivery_id in outcomes
    ]
    settle(session, settlements, owner, now, patience)
    put_back(session, taken, owner, now)
