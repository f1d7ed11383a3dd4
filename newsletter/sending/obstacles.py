"""What a mailing waits for right now, in words for its editor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from newsletter.mail.addresses import domain_of, shown_domain
from newsletter.models import (
    OPEN_STATES,
    Batch,
    Delivery,
    List,
    Mailing,
    MailingStatus,
    Pace,
    Publication,
    of_mailing,
)
from newsletter.sending import pace
from newsletter.sending.window import parse_window
from newsletter.smtp_accounts import Account, accounts_for
from newsletter.stats.progress import email_domain
from newsletter.stats.summary import find_mailing

# Workers look at the ledger every second; whatever is due for so long, nobody is there to take.
PATIENCE = timedelta(seconds=20)


def obstacles(session: Session, accounts: Sequence[Account], mailing_id: int, now: datetime) -> list[str]:
    """One line for each thing that it, or some of its recipients, wait for; none once it is over.

    Raises NotFoundError for an unknown mailing.
    """
    mailing = find_mailing(session, mailing_id)
    match mailing.status:
        case MailingStatus.SCHEDULED:
            return list(_beginning(mailing, now))
        case MailingStatus.PAUSED:
            how = f": {mailing.pause_reason}" if mailing.pause_reason else " by hand"
            return [f"`newsletter mailing resume {mailing_id}`, since it was paused{how}"]
        case MailingStatus.SENDING:
            return _on_the_way(session, accounts, mailing, now)
    return []


def _beginning(mailing: Mailing, now: datetime) -> Iterator[str]:
    if mailing.due_at > now:
        yield f"its time, {_clock(mailing.due_at)}"
    elif mailing.due_at <= now - PATIENCE:
        yield f"a worker to begin it, since {_clock(mailing.due_at)}: does one run? (`newsletter up`)"


def _on_the_way(session: Session, accounts: Sequence[Account], mailing: Mailing, now: datetime) -> list[str]:
    publication = session.scalars(
        select(Publication).join(List, List.publication_id == Publication.id).where(List.id == mailing.list_id)
    ).one()
    from_domain = domain_of(publication.from_email)
    mine = accounts_for(accounts, from_domain)
    missing = [] if mine else [f"an SMTP account for mail from {from_domain}: add one to the settings"]
    may_go = _may_go(mailing)
    reasons = [
        *_window(mailing, publication, now),
        *missing,
        *(line for account in mine for line in _account(session, account, mailing, now)),
        *_slow_domains(session, may_go),
        *_next_try(session, may_go, now),
    ]
    return [*_canary(mailing), *(reasons or _workers(session, mine, may_go, now))]


def _may_go(mailing: Mailing) -> ColumnElement[bool]:
    """Whether a batch of the mailing holds recipients without an outcome and is not held back by a canary."""
    open_ones = and_(Batch.mailing_id == mailing.id, Batch.due_at.is_not(None))
    if not _has_canary_out(mailing):
        return open_ones
    first = select(func.min(Batch.id)).where(Batch.mailing_id == mailing.id)
    return and_(open_ones, Batch.id == first.scalar_subquery())


def _has_canary_out(mailing: Mailing) -> bool:
    return mailing.canary is not None and mailing.canary_judged_at is None


def _canary(mailing: Mailing) -> Iterator[str]:
    if _has_canary_out(mailing):
        yield f"its canary: the first {mailing.canary} go ahead, the rest follows unless too many of them are refused"


def _window(mailing: Mailing, publication: Publication, now: datetime) -> Iterator[str]:
    if mailing.window:
        zone = ZoneInfo(publication.timezone)
        opening = parse_window(mailing.window).next_opening(now, zone)
        if opening > now:
            yield f"its window ({mailing.window} in {zone.key}), which opens at {_clock(opening)}"


def _account(session: Session, account: Account, mailing: Mailing, now: datetime) -> Iterator[str]:
    # Without regard to its rates, what rests was closed, or has nothing left of today.
    unhurried = replace(account, pace=replace(account.pace, messages_a_second=None, domains={}))
    resting = pace.condition(session, unhurried, now).resting
    rows = session.scalars(
        select(Pace).where(Pace.account == account.name, Pace.closed_until > now).order_by(Pace.domain)
    )
    closed = {
        row.domain: f"until {_clock(row.closed_until or now)}: {row.reason}" for row in rows if row.domain in resting
    }
    if rests := closed.pop(pace.ALL, None):
        yield f"the SMTP account {account.name}, which rests {rests}"
    elif pace.ALL in resting:
        midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time.min, UTC)
        yield f"the SMTP account {account.name}, which has sent its share of today and goes on at {_clock(midnight)}"
    for domain, is_left_alone in closed.items():
        if _is_owed_to(session, mailing, domain):
            yield f"{shown_domain(domain)}, which is left alone {is_left_alone}"


def _is_owed_to(session: Session, mailing: Mailing, domain: str) -> bool:
    """Whether somebody at the domain has no outcome yet."""
    owed = select(Delivery.id).where(
        *of_mailing(mailing.id), Delivery.state.in_(OPEN_STATES), email_domain(Delivery.email) == shown_domain(domain)
    )
    return session.scalar(owed.limit(1)) is not None


def _slow_domains(session: Session, may_go: ColumnElement[bool]) -> Iterator[str]:
    """Only where everybody left is at such a domain."""
    domains = session.scalars(select(Batch.waits_for).where(may_go).distinct().order_by(Batch.waits_for)).all()
    if None not in domains:
        yield from (f"the pace that the settings allow for {shown_domain(domain)}" for domain in domains if domain)


def _next_try(session: Session, may_go: ColumnElement[bool], now: datetime) -> Iterator[str]:
    """Only where nothing is due before it."""
    due_at = session.scalar(select(func.min(Batch.due_at)).where(may_go))
    if due_at and due_at > now:
        yield f"the next recipients, who are due at {_clock(due_at)}"


def _workers(
    session: Session, accounts: Sequence[Account], may_go: ColumnElement[bool], now: datetime
) -> Iterator[str]:
    if all(pace.ALL in pace.condition(session, account, now).resting for account in accounts):
        return
    due_at, taken_at, taken = session.execute(
        select(func.min(Batch.due_at), func.max(Batch.taken_at), func.count(Batch.taken_by)).where(may_go)
    ).one()
    since = max(filter(None, (due_at, taken_at)), default=None)
    if since and not taken and since <= now - PATIENCE:
        yield f"a worker, since {_clock(since)}: does one run? (`newsletter up`)"


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
