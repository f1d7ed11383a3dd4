"""Which batch a worker takes next, and over which account it goes: fair between mailings, within their hours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import random
from zoneinfo import ZoneInfo

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import Session

from newsletter.mail.addresses import domain_of
from newsletter.models import Batch, List, Mailing, MailingStatus, Publication
from newsletter.sending import ledger, pace
from newsletter.sending.ledger import Taken
from newsletter.sending.pace import Condition
from newsletter.sending.window import parse_window
from newsletter.smtp_accounts import Account, accounts_for, choose


@dataclass(frozen=True, slots=True)
class Work:
    """A batch, and how to send it; without an account there is nothing to send, the mailing having been cancelled."""

    taken: Taken
    account: Account | None
    condition: Condition


@dataclass(frozen=True, slots=True)
class Candidate:
    """A mailing with batches that are due; `last` is the number of the last one that may go yet."""

    mailing_id: int
    status: MailingStatus
    from_email: str
    window: str | None
    timezone: str
    last: int | None

    def is_open(self, now: datetime) -> bool:
        return self.window is None or parse_window(self.window).is_open(now, ZoneInfo(self.timezone))


NOTHING_RESTS = Condition(frozenset(), frozenset())


class Dispatcher:
    """Chooses among accounts; `randomly` gives numbers from 0 to 1."""

    def __init__(self, accounts: Sequence[Account], randomly: Callable[[], float] = random) -> None:
        self._accounts = tuple(accounts)
        self._randomly = randomly

    def next_work(self, session: Session, owner: str, now: datetime) -> Work | None:
        """Take a batch for `owner`: of the mailing whose turn was longest ago. None where nothing may go now."""
        conditions = self._conditions(session, now)
        for candidate in candidates(session, now):
            account = self._account_for(candidate, conditions, now)
            if account is None and candidate.status is MailingStatus.SENDING:
                continue
            state = conditions[account.name] if account else NOTHING_RESTS
            taken = ledger.take(session, candidate.mailing_id, owner, now, resting=state.resting, last=candidate.last)
            if taken:
                return Work(taken, account, state)
        return None

    def waiting(self, session: Session, now: datetime, limit: int) -> int:
        """How many batches could be taken now, counted up to a limit."""
        conditions = self._conditions(session, now)
        count = 0
        for candidate in candidates(session, now):
            account = self._account_for(candidate, conditions, now)
            if account or candidate.status is MailingStatus.CANCELLED:
                resting = conditions[account.name].resting if account else ()
                free = ledger.is_free(candidate.mailing_id, now, resting, candidate.last)
                some = select(Batch.id).where(free).limit(limit - count).subquery()
                count += session.scalar(select(func.count()).select_from(some)) or 0
        return count

    def _conditions(self, session: Session, now: datetime) -> dict[str, Condition]:
        return {account.name: pace.condition(session, account, now) for account in self._accounts}

    def _account_for(self, candidate: Candidate, conditions: dict[str, Condition], now: datetime) -> Account | None:
        if candidate.status is not MailingStatus.SENDING or not candidate.is_open(now):
            return None
        domain = domain_of(candidate.from_email)
        resting = {name for name, state in conditions.items() if pace.ALL in state.resting}
        return choose(accounts_for(self._accounts, domain), self._randomly(), resting)


def candidates(session: Session, now: datetime) -> list[Candidate]:
    """The mailings with batches that are due, the one whose last batch was taken longest ago first."""
    last_taken = select(func.max(Batch.taken_at)).where(Batch.mailing_id == Mailing.id).scalar_subquery()
    canary = select(func.min(Batch.id)).where(Batch.mailing_id == Mailing.id).scalar_subquery()
    held_back = and_(Mailing.canary.is_not(None), Mailing.canary_judged_at.is_(None))
    rows = session.execute(
        select(
            Mailing.id,
            Mailing.status,
            Publication.from_email,
            Mailing.window,
            Publication.timezone,
            canary,
            held_back,
        )
        .join(List, List.id == Mailing.list_id)
        .join(Publication, Publication.id == List.publication_id)
        .where(
            or_(
                Mailing.status == MailingStatus.SENDING,
                and_(Mailing.status == MailingStatus.CANCELLED, Mailing.finished_at.is_(None)),
            ),
            exists().where(ledger.is_free(Mailing.id, now)),
        )
        .order_by(last_taken.is_not(None), last_taken, Mailing.id)
    )
    return [
        Candidate(
            mailing_id,
            status,
            from_email,
            window,
            zone,
            canary_id if held and status is MailingStatus.SENDING else None,
        )
        for mailing_id, status, from_email, window, zone, canary_id, held in rows
    ]
