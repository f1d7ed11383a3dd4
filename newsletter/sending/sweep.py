"""Looks at the ledger for whatever is due, whether or not the queue remembers it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from newsletter.models import Mailing, MailingStatus
from newsletter.sending import ledger
from newsletter.sending.canary import judge_canaries
from newsletter.sending.recover import recover
from newsletter.sending.settle import Patience

# Far longer than a worker can have a batch; one taken this long ago belongs to a worker that is gone.
LEASE = timedelta(minutes=15)


def due_mailings(session: Session, now: datetime) -> list[int]:
    """The mailings whose time has come, the longest due first."""
    return list(
        session.scalars(
            select(Mailing.id)
            .where(Mailing.status == MailingStatus.SCHEDULED, Mailing.due_at <= now)
            .order_by(Mailing.due_at, Mailing.id)
        )
    )


def sweep(
    session: Session, now: datetime, patience: Patience, *, alive: Collection[str] = (), lease: timedelta = LEASE
) -> None:
    """Recover what lost workers had, but for those known to be `alive`; judge canaries; close what is finished."""
    recover(session, alive, lease, now, patience)
    judge_canaries(session, now)
    cancelled = and_(Mailing.status == MailingStatus.CANCELLED, Mailing.finished_at.is_(None))
    open_ones = session.scalars(select(Mailing.id).where(or_(Mailing.status == MailingStatus.SENDING, cancelled)))
    for mailing_id in list(open_ones):
        ledger.close(session, mailing_id, now)
