"""A worker draws its next hand: a batch and the claims on it, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.sending import ledger, pace
from newsletter.sending.dispatch import Dispatcher, Work
from newsletter.sending.ledger import Claim


@dataclass(frozen=True, slots=True)
class Hand:
    """What a worker may send now of a batch, and what the rest of it waits for."""

    work: Work
    claims: list[Claim]
    waits_for: str | None = None
    not_before: datetime | None = None


def draw(session: Session, dispatcher: Dispatcher, owner: str, now: datetime) -> Hand | None:
    """The next hand; None where nothing may go now. A batch of which nothing can be claimed is put back at once."""
    work = dispatcher.next_work(session, owner, now)
    if work is None:
        return None
    hand = _claimed(session, work, owner, now)
    if not hand.claims:
        ledger.put_back(session, work.taken, owner, now, waits_for=hand.waits_for, not_before=hand.not_before)
    return hand


def _claimed(session: Session, work: Work, owner: str, now: datetime) -> Hand:
    if work.account is None:
        return Hand(work, [])
    if not pace.is_limited(work.account, work.condition):
        return Hand(work, ledger.claim(session, work.taken, owner, now))
    due = ledger.due(session, work.taken, now)
    granted = pace.grant(session, work.account, due, now)
    claims = ledger.claim(session, work.taken, owner, now, only=granted.ids) if granted.ids else []
    return Hand(work, claims, granted.waits_for, granted.not_before)
