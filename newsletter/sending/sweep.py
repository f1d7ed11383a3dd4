"""Looks at the ledger for whatever is due, whether or not the queue remembers it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.models import Mailing, MailingStatus
from newsletter.sending import ledger
from newsletter.sending.plan import Batch, due_batches


def due_mailings(session: Session, now: datetime) -> list[int]:
    """The mailings whose time has come, the longest due first."""
    return list(
        session.scalars(
            select(Mailing.id)
            .where(Mailing.status == MailingStatus.SCHEDULED, Mailing.due_at <= now)
            .order_by(Mailing.due_at, Mailing.id)
        )
    )


def sweep(session: Session, now: datetime) -> list[Batch]:
    """Recover lost claims, close what is finished; the batches of all mailings under way that are due."""
    ledger.recover(session, now)
    sending = session.scalars(select(Mailing.id).where(Mailing.status == MailingStatus.SENDING).order_by(Mailing.id))
    batches: list[Batch] = []
    for mailing_id in list(sending):
        if not ledger.close(session, mailing_id, now):
            batches += due_batches(session, mailing_id, now)
    return batches
