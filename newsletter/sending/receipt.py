"""A mailing's receipt: how many were to be written to, and what became of every one of them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.orm import Session

from newsletter.errors import NotFoundError
from newsletter.models import OPEN_STATES, DeliveryState, Mailing, MailingStatus
from newsletter.stats.report import count_states


@dataclass(frozen=True, slots=True)
class Receipt:
    """The frozen audience and its outcomes; states that nobody is in are left out."""

    mailing_id: int
    audience: int
    audience_digest: str
    outcomes: dict[DeliveryState, int]
    is_closed: bool

    @property
    def adds_up(self) -> bool:
        """Whether every recipient has exactly one outcome and none is left open."""
        nobody_open = not any(self.outcomes.get(state) for state in OPEN_STATES)
        return nobody_open and sum(self.outcomes.values()) == self.audience


def make_receipt(session: Session, mailing_id: int) -> Receipt:
    """The receipt as the ledger has it now. Raises NotFoundError for a mailing that has not begun."""
    mailing = session.get(Mailing, mailing_id)
    if mailing is None or mailing.audience_size is None or mailing.audience_digest is None:
        raise NotFoundError(f"mailing {mailing_id} has not begun: it has no audience yet")
    return Receipt(
        mailing_id=mailing_id,
        audience=mailing.audience_size,
        audience_digest=mailing.audience_digest,
        outcomes=count_states(session, mailing_id),
        is_closed=mailing.status is MailingStatus.SENT,
    )
