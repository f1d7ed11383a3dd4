"""The consent trail: each decision as it was taken, never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.models import Consent, ConsentAction

READER = "reader"
MAX_WORDING = 2000
MAX_VERSION = 64
MAX_BY = 100


@dataclass(frozen=True, slots=True)
class Hand:
    """Who decides: `by` (reader, admin…), and from which IP address where that is known."""

    by: str = READER
    ip: str | None = None


def note(
    session: Session,
    subscriber_id: int,
    list_id: int | None,
    action: ConsentAction,
    hand: Hand,
    now: datetime,
    *,
    wording: str = "",
    version: str = "",
) -> None:
    """Add a decision to the trail. `wording` is what they were shown, or said; `version` names it."""
    session.add(
        Consent(
            subscriber_id=subscriber_id,
            list_id=list_id,
            action=action,
            wording=wording[:MAX_WORDING],
            wording_version=version,
            ip=hand.ip,
            by=hand.by,
            at=now,
        )
    )
    session.flush()


def last_sign_up(session: Session, subscriber_id: int, list_id: int) -> Consent | None:
    """What somebody agreed to when they last signed up for a list."""
    return session.scalar(
        select(Consent)
        .where(
            Consent.subscriber_id == subscriber_id,
            Consent.list_id == list_id,
            Consent.action == ConsentAction.SIGN_UP,
        )
        .order_by(Consent.id.desc())
        .limit(1)
    )
