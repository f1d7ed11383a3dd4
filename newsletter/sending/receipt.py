"""A mailing's receipt: how many were to be written to, what became of every one, and the digests that prove it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.errors import NotFoundError
from newsletter.models import OPEN_STATES, Delivery, DeliveryState, List, MailingStatus, of_mailing
from newsletter.stats.summary import count_states, find_mailing


@dataclass(frozen=True, slots=True)
class Receipt:
    """The frozen audience and its outcomes; states and refusals that nobody is in are left out.

    `audience_digest` is over who was to be written to, `outcomes_digest` over what became of them: None until the
    mailing is closed.
    """

    mailing_id: int
    subject: str
    list_slug: str
    status: MailingStatus
    started_at: datetime | None
    finished_at: datetime | None
    audience: int
    audience_digest: str
    outcomes: dict[DeliveryState, int]
    refusals: dict[str, int]
    uncertain: tuple[str, ...]
    outcomes_digest: str | None

    @property
    def is_closed(self) -> bool:
        return self.outcomes_digest is not None

    @property
    def adds_up(self) -> bool:
        """Whether every recipient has exactly one outcome and none is left open."""
        nobody_open = not any(self.outcomes.get(state) for state in OPEN_STATES)
        return nobody_open and sum(self.outcomes.values()) == self.audience

    def to_json(self) -> dict[str, Any]:
        """Plain values; times in ISO 8601, UTC."""
        return {
            "mailing": self.mailing_id,
            "subject": self.subject,
            "list": self.list_slug,
            "status": self.status.value,
            "started_at": self.started_at.isoformat() if self.started_at else None,
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
            "audience": self.audience,
            "audience_digest": self.audience_digest,
            "outcomes": {state.value: count for state, count in self.outcomes.items()},
            "adds_up": self.adds_up,
            "refusals": self.refusals,
            "uncertain": list(self.uncertain),
            "outcomes_digest": self.outcomes_digest,
        }


def make_receipt(session: Session, mailing_id: int, outcomes: Mapping[DeliveryState, int] | None = None) -> Receipt:
    """The receipt as the ledger has it now. Raises NotFoundError for no mailing, and for one that has not begun.

    `outcomes` are the states that this transaction counted already: of a million deliveries that takes a while.
    """
    mailing = find_mailing(session, mailing_id)
    if mailing.audience_size is None or mailing.audience_digest is None:
        raise NotFoundError(f"mailing {mailing_id} has not begun: it has no audience yet")
    return Receipt(
        mailing_id=mailing_id,
        subject=mailing.subject,
        list_slug=session.scalars(select(List.slug).where(List.id == mailing.list_id)).one(),
        status=mailing.status,
        started_at=mailing.started_at,
        finished_at=mailing.finished_at,
        audience=mailing.audience_size,
        audience_digest=mailing.audience_digest,
        outcomes=dict(outcomes) if outcomes is not None else count_states(session, mailing_id),
        refusals=mailing.receipt["refusals"] if mailing.receipt else _refusals(session, mailing_id),
        uncertain=tuple(mailing.receipt["uncertain"] if mailing.receipt else _uncertain(session, mailing_id)),
        outcomes_digest=mailing.outcomes_digest,
    )


def _refusals(session: Session, mailing_id: int) -> dict[str, int]:
    rows = session.execute(
        select(Delivery.refusal, func.count())
        .where(*of_mailing(mailing_id), Delivery.refusal.is_not(None))
        .group_by(Delivery.refusal)
        .order_by(Delivery.refusal)
    )
    return {str(refusal): count for refusal, count in rows}


def _uncertain(session: Session, mailing_id: int) -> Sequence[str]:
    return session.scalars(
        select(Delivery.email)
        .where(*of_mailing(mailing_id), Delivery.state == DeliveryState.UNCERTAIN)
        .order_by(Delivery.id)
    ).all()
