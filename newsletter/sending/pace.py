"""How fast accounts may send: token buckets, day counts and closures, kept in SQL so that all workers share them.

A bucket fills at its rate and holds what two seconds bring. Tokens are taken in the transaction that claims, so that
what is claimed is paid for, whatever happens afterwards. The empty domain stands for the whole account.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from newsletter.models import DayCount, Pace
from newsletter.smtp_accounts import Account

BUCKET_SECONDS = 2.0
# A claim for fewer than this many seconds' worth is not worth a transaction.
LEAST_SECONDS = 0.25
FIRST_CLOSURE = timedelta(seconds=15)
LONGEST_CLOSURE = timedelta(hours=1)
LONGEST_REST = timedelta(minutes=5)
ALL = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """How an account is: the domains that must wait (ALL: everything must), and those that were closed of late."""

    resting: frozenset[str]
    strained: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grant:
    """Which deliveries may be claimed now, and what the others wait for: a domain's pace, or a time."""

    ids: list[int]
    waits_for: str | None
    not_before: datetime | None


def condition(session: Session, account: Account, now: datetime) -> Condition:
    """What of an account must wait: for tokens, for tomorrow, or for a server that asked for quiet."""
    rows = _rows(session, account)
    resting = {domain for domain, row in rows.items() if _is_closed(row, now) or _is_drained(row, account, now)}
    if _left_today(session, account, now) == 0:
        resting.add(ALL)
    return Condition(frozenset(resting), frozenset(domain for domain, row in rows.items() if row.closures))


def is_limited(account: Account, state: Condition) -> bool:
    """Whether claims on this account must ask for a grant."""
    pace = account.pace
    return bool(pace.messages_a_second or pace.messages_a_day or pace.domains or state.resting)


def grant(session: Session, account: Account, due: Iterable[tuple[int, str]], now: datetime) -> Grant:
    """Pay for as many of the due deliveries, each with its recipient's domain, as the account may send now."""
    # The row of the whole account is always there, so that whoever holds its lock is alone.
    rows = _rows(session, account, [ALL, *account.pace.domains], now)
    left = {domain: _allowance(row, account, now) for domain, row in rows.items()}
    today = _left_today(session, account, now)
    in_all = min((number for number in (left.pop(ALL, None), today) if number is not None), default=None)
    ids: list[int] = []
    spent: Counter[str] = Counter()
    held_up: Counter[str] = Counter()
    for delivery_id, domain in due:
        allowed = left.get(domain)
        if (in_all is not None and len(ids) >= in_all) or (allowed is not None and spent[domain] >= allowed):
            held_up[domain] += 1
        else:
            ids.append(delivery_id)
            spent[domain] += 1
    spent[ALL] = len(ids)
    for domain, row in rows.items():
        _pay(row, account, spent[domain], now)
    _count_today(session, account, len(ids), now)
    return Grant(ids, *_obstacle(rows, account, held_up, now))


def close(session: Session, account: Account, domain: str, reason: str, now: datetime) -> datetime:
    """Send nothing to a domain (or, ALL, at all) for a while, twice as long each time in a row; until when."""
    row = _rows(session, account, [domain], now)[domain]
    if row.closed_until is None or not _is_closed(row, now):
        row.closed_until = now + min(FIRST_CLOSURE * (1 << min(row.closures, 16)), _longest(domain))
        row.closures += 1
        row.reason = reason
    return row.closed_until


def closed_domains(session: Session, now: datetime) -> frozenset[str]:
    """The recipients' domains that an account leaves alone for a while."""
    rows = session.scalars(select(Pace).where(Pace.closed_until > now, Pace.domain != ALL))
    return frozenset(row.domain for row in rows if _is_closed(row, now))


def reopen(session: Session, account: Account, domain: str, now: datetime) -> None:
    """The server takes mail for a domain again: the next closure is a short one."""
    row = _rows(session, account, [domain], now)[domain]
    row.closed_until, row.closures, row.reason = None, 0, None


def _rows(
    session: Session, account: Account, needed: Iterable[str] = (), now: datetime | None = None
) -> dict[str, Pace]:
    """An account's rows by domain. Those `needed` are made where they are missing, and all are locked then."""
    found = select(Pace).where(Pace.account == account.name).execution_options(populate_existing=True)
    if now is None:
        return {row.domain: row for row in session.scalars(found)}
    missing = set(needed) - set(session.scalars(select(Pace.domain).where(Pace.account == account.name)))
    for domain in sorted(missing):
        # Whoever comes second finds the row, and that is as good.
        with suppress(IntegrityError), session.begin_nested():
            tokens = _bucket(_rate(account, domain))
            session.add(Pace(account=account.name, domain=domain, tokens=tokens, counted_at=now, closures=0))
    locked = found.order_by(Pace.domain).with_for_update()
    return {row.domain: row for row in session.scalars(locked)}


def _obstacle(
    rows: Mapping[str, Pace], account: Account, held_up: Counter[str], now: datetime
) -> tuple[str | None, datetime | None]:
    """What those held up wait for: the pace of a domain where all wait for one, the end of a closure where all do.

    Nothing where others wait for the account alone, which is known to rest.
    """
    closed = {domain: row.closed_until for domain, row in rows.items() if _is_closed(row, now)}
    waiting = [domain for domain, _ in held_up.most_common() if domain not in closed]
    if not waiting:
        return None, min((end for domain, end in closed.items() if end and domain in held_up), default=None)
    return (waiting[0] if all(domain in account.pace.domains for domain in waiting) else None), None


def _rate(account: Account, domain: str) -> float | None:
    return account.pace.messages_a_second if domain == ALL else account.pace.domains.get(domain)


def _bucket(rate: float | None) -> float:
    return max(1.0, (rate or 0.0) * BUCKET_SECONDS)


def _tokens(row: Pace, rate: float, now: datetime) -> float:
    seconds = (now - row.counted_at).total_seconds()
    if seconds < -BUCKET_SECONDS:
        # Counted in a future that the clock was set back from: begun anew rather than waited for.
        return _bucket(rate)
    return min(_bucket(rate), row.tokens + max(0.0, seconds) * rate)


def _allowance(row: Pace, account: Account, now: datetime) -> int | None:
    """How many may be sent now; None for as many as there are."""
    if _is_closed(row, now):
        return 0
    rate = _rate(account, row.domain)
    return None if rate is None else int(_tokens(row, rate, now))


def _is_closed(row: Pace, now: datetime) -> bool:
    # No closure is longer; one that seems so is of a future that the clock was set back from.
    return row.closed_until is not None and now < row.closed_until <= now + _longest(row.domain)


def _longest(domain: str) -> timedelta:
    return LONGEST_REST if domain == ALL else LONGEST_CLOSURE


def _is_drained(row: Pace, account: Account, now: datetime) -> bool:
    rate = _rate(account, row.domain)
    return rate is not None and _tokens(row, rate, now) < max(1.0, rate * LEAST_SECONDS)


def _pay(row: Pace, account: Account, spent: int, now: datetime) -> None:
    rate = _rate(account, row.domain)
    if rate is not None:
        row.tokens, row.counted_at = _tokens(row, rate, now) - spent, now


def _left_today(session: Session, account: Account, now: datetime) -> int | None:
    """How many more may be sent today (UTC); None without a limit. The schedule begins on the account's first day."""
    if not account.pace.messages_a_day:
        return None
    today = now.astimezone(UTC).date()
    first, sent = session.execute(
        select(func.min(DayCount.day), func.sum(DayCount.messages).filter(DayCount.day == today)).where(
            DayCount.account == account.name
        )
    ).one()
    limit = account.pace.day_limit((today - first).days if first else 0)
    return None if limit is None else max(0, limit - (sent or 0))


def _count_today(session: Session, account: Account, messages: int, now: datetime) -> None:
    if not account.pace.messages_a_day or not messages:
        return
    day = now.astimezone(UTC).date()
    count = session.get(DayCount, (account.name, day), with_for_update=True, populate_existing=True)
    if count is None:
        session.add(DayCount(account=account.name, day=day, messages=messages))
        session.flush()
    else:
        count.messages += messages
