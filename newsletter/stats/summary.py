"""A mailing at a glance: what it is, to whom, and how many recipients are in each state of the ledger."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.errors import NotFoundError
from newsletter.models import Delivery, DeliveryState, List, Mailing, MailingStatus, of_mailing


@dataclass(frozen=True, slots=True)
class Summary:
    """A mailing as it stands. `audience` is None until it is frozen; states that nobody is in are left out."""

    mailing_id: int
    subject: str
    list_slug: str
    segment: str | None
    status: MailingStatus
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    audience: int | None
    states: dict[DeliveryState, int]

    @property
    def delivered(self) -> int:
        """How many messages a server took; some may come back yet."""
        return self.states.get(DeliveryState.SENT, 0)

    def to_json(self) -> dict[str, Any]:
        """Plain values for `--json`; times in ISO 8601, UTC."""
        times = {
            name: moment.isoformat() if moment else None
            for name, moment in (
                ("due_at", self.due_at),
                ("started_at", self.started_at),
                ("finished_at", self.finished_at),
            )
        }
        return {**asdict(self), **times, "delivered": self.delivered}


def find_mailing(session: Session, mailing_id: int) -> Mailing:
    """The mailing, to look at. Raises NotFoundError that says where to look."""
    mailing = session.get(Mailing, mailing_id)
    if mailing is None:
        raise NotFoundError(f"there is no mailing {mailing_id}: `newsletter mailing ls` lists them")
    return mailing


def summarise(session: Session, mailing_id: int) -> Summary:
    """A mailing at a glance. Raises NotFoundError for an unknown one."""
    mailing = find_mailing(session, mailing_id)
    return Summary(
        mailing_id=mailing.id,
        subject=mailing.subject,
        list_slug=session.scalars(select(List.slug).where(List.id == mailing.list_id)).one(),
        segment=mailing.segment,
        status=mailing.status,
        due_at=mailing.due_at,
        started_at=mailing.started_at,
        finished_at=mailing.finished_at,
        audience=mailing.audience_size,
        states=count_states(session, mailing_id),
    )


def count_states(session: Session, mailing_id: int) -> dict[DeliveryState, int]:
    """How many deliveries of a mailing are in each state; states that nobody is in are left out."""
    kept = session.scalar(select(Mailing.receipt).where(Mailing.id == mailing_id, Mailing.pruned_at.is_not(None)))
    if kept:
        return {DeliveryState(state): count for state, count in kept["outcomes"].items()}
    rows = session.execute(
        select(Delivery.state, func.count()).where(*of_mailing(mailing_id)).group_by(Delivery.state)
    )
    return dict(rows.all())


def all_mailings(session: Session) -> list[int]:
    """Every mailing's id, the latest first."""
    return list(session.scalars(select(Mailing.id).order_by(Mailing.id.desc())))
