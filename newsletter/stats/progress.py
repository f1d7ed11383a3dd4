"""How a mailing gets on: counts by state, how fast, for how long yet, and by recipients' domains; from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, func, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Session
from sqlalchemy.sql.functions import GenericFunction

from newsletter.models import OPEN_STATES, Delivery, DeliveryState, Mailing, MailingStatus, of_mailing
from newsletter.stats.summary import count_states, find_mailing

# The rate is that of the last so many seconds.
RATE_SECONDS = 30.0
DOMAINS = 8
_FAILED = (DeliveryState.REJECTED, DeliveryState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class DomainProgress:
    """How far a mailing is with the recipients at one domain."""

    domain: str
    audience: int
    sent: int
    open: int
    deferred: int
    failed: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a mailing stands at a moment.

    `rate` is in messages a second and `left` what is left at that rate: None while nothing was measured. `domains`
    are those with most recipients, the largest first.
    """

    status: MailingStatus
    due_at: datetime
    audience: int | None
    states: dict[DeliveryState, int]
    rate: float | None
    left: timedelta | None
    domains: tuple[DomainProgress, ...]

    @property
    def settled(self) -> int:
        """How many recipients have an outcome."""
        return sum(count for state, count in self.states.items() if state not in OPEN_STATES)

    @property
    def is_over(self) -> bool:
        """Whether nothing more becomes of the mailing by itself."""
        return self.status in (MailingStatus.SENT, MailingStatus.CANCELLED) and self.settled == (self.audience or 0)


def progress(session: Session, mailing_id: int, now: datetime) -> Progress:
    """Where a mailing stands. Raises NotFoundError for an unknown mailing."""
    mailing = find_mailing(session, mailing_id)
    states = count_states(session, mailing_id)
    rate = _rate(session, mailing, now)
    still_open = sum(states.get(state, 0) for state in OPEN_STATES)
    return Progress(
        status=mailing.status,
        due_at=mailing.due_at,
        audience=mailing.audience_size,
        states=states,
        rate=rate,
        left=timedelta(seconds=round(still_open / rate)) if rate else None,
        domains=_domains(session, mailing_id),
    )


def _rate(session: Session, mailing: Mailing, now: datetime) -> float | None:
    if mailing.status is not MailingStatus.SENDING or mailing.started_at is None:
        return None
    seconds = min(RATE_SECONDS, (now - mailing.started_at).total_seconds())
    since = now - timedelta(seconds=seconds)
    settled = session.scalar(
        select(func.count()).select_from(Delivery).where(*of_mailing(mailing.id), Delivery.settled_at > since)
    )
    return settled / seconds if settled and seconds > 0 else None


def _domains(session: Session, mailing_id: int) -> tuple[DomainProgress, ...]:
    domain = email_domain(Delivery.email)
    rows = session.execute(
        select(
            domain,
            func.count().label("audience"),
            func.count().filter(Delivery.state == DeliveryState.SENT),
            func.count().filter(Delivery.state.in_((DeliveryState.PENDING, DeliveryState.CLAIMED))),
            func.count().filter(Delivery.state == DeliveryState.DEFERRED),
            func.count().filter(Delivery.state.in_(_FAILED)),
        )
        .where(*of_mailing(mailing_id))
        .group_by(domain)
        .order_by(func.count().desc(), domain)
        .limit(DOMAINS)
    )
    return tuple(DomainProgress(*row) for row in rows)


class email_domain(GenericFunction[str]):
    """What follows the @ of a normalised address; empty for whoever was forgotten."""

    type = String()
    inherit_cache = True


@compiles(email_domain, "postgresql")
def _postgresql(element: email_domain, compiler: Any, **keywords: Any) -> str:
    return f"split_part({compiler.process(element.clauses, **keywords)}, '@', 2)"


@compiles(email_domain, "sqlite")
def _sqlite(element: email_domain, compiler: Any, **keywords: Any) -> str:
    address = compiler.process(element.clauses, **keywords)
    return f"CASE WHEN instr({address}, '@') THEN substr({address}, instr({address}, '@') + 1) ELSE '' END"
