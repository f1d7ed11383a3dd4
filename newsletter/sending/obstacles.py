"""What keeps a mailing from going on right now, in words for its editor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.mail.addresses import domain_of, for_wire
from newsletter.models import Batch, List, Mailing, MailingStatus, Pace, Publication
from newsletter.sending.pace import ALL
from newsletter.sending.times import parse_window
from newsletter.smtp_accounts import Account, accounts_for


def obstacles(session: Session, accounts: Sequence[Account], mailing_id: int, now: datetime) -> list[str]:
    """One line for each thing it waits for; none while it is going on, or finished."""
    mailing = session.get_one(Mailing, mailing_id)
    if mailing.status is MailingStatus.PAUSED:
        return [f"paused: {mailing.pause_reason or 'by hand'}"]
    if mailing.status is not MailingStatus.SENDING:
        return []
    publication = session.scalars(
        select(Publication).join(List, List.publication_id == Publication.id).where(List.id == mailing.list_id)
    ).one()
    return [
        *_window(mailing, publication, now),
        *_canary(mailing),
        *_accounts(session, accounts, publication, now),
        *_next_try(session, mailing_id, now),
    ]


def _window(mailing: Mailing, publication: Publication, now: datetime) -> Iterator[str]:
    if mailing.window:
        zone = ZoneInfo(publication.timezone)
        opening = parse_window(mailing.window).next_opening(now, zone)
        if opening > now:
            yield f"its window ({mailing.window}, {zone.key}) opens at {_clock(opening)}"


def _canary(mailing: Mailing) -> Iterator[str]:
    if mailing.canary and mailing.canary_judged_at is None:
        yield f"the first {mailing.canary} go ahead; the rest follows if they are taken"


def _accounts(
    session: Session, accounts: Sequence[Account], publication: Publication, now: datetime
) -> Iterator[str]:
    mine = accounts_for(accounts, domain_of(for_wire(publication.from_email)))
    if not mine:
        yield f"no SMTP account is for mail from {domain_of(publication.from_email)}: add one to the settings"
    closed = session.scalars(
        select(Pace)
        .where(Pace.account.in_([account.name for account in mine]), Pace.closed_until > now)
        .order_by(Pace.account, Pace.domain)
    )
    for row in closed:
        what = f"the account {row.account} rests" if row.domain == ALL else f"{row.domain} is left alone"
        yield f"{what} until {_clock(row.closed_until)}: {row.reason}"


def _next_try(session: Session, mailing_id: int, now: datetime) -> Iterator[str]:
    """Only where nothing is due before it."""
    due_at = session.scalar(select(func.min(Batch.due_at)).where(Batch.mailing_id == mailing_id))
    if due_at and due_at > now:
        yield f"the next recipients are due at {_clock(due_at)}"


def _clock(moment: datetime | None) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else "later"
