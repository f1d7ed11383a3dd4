"""Staged rows weighed against what the database holds: who is new, who is on the list, who must be left alone."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    MetaData,
    SmallInteger,
    Table,
    Text,
    and_,
    case,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from newsletter.audience.profile import PROFILE_COLUMNS
from newsletter.audience.statuses import REASONS, Status
from newsletter.models import Subscriber, Subscription, SubscriptionStatus, Suppression, at_domain

CHUNK = 20_000


class Verdict(IntEnum):
    """What is to become of a row."""

    SUPPRESS = 0
    KEEP_SUPPRESSED = 1
    KEEP_UNSUBSCRIBED = 2
    NEW = 3
    JOINS = 4
    ON_LIST = 5
    # What exports of ours tell of people who are not on the list here; they get their subscription back.
    HAD_LEFT = 6
    COMES_SUPPRESSED = 7
    JOINS_SUPPRESSED = 8


SUPPRESSING = (Verdict.SUPPRESS, Verdict.COMES_SUPPRESSED)
JOINING = (Verdict.NEW, Verdict.JOINS, Verdict.HAD_LEFT, Verdict.COMES_SUPPRESSED, Verdict.JOINS_SUPPRESSED)


def end_of_chunk(session: Session, staged: Table, after: str) -> str:
    """The address a chunk ends with; the same as `after` where nothing is left."""
    rest = select(staged.c.email).where(staged.c.email > after).order_by(staged.c.email)
    end = session.scalar(rest.offset(CHUNK - 1).limit(1))
    return end or session.scalar(select(func.max(staged.c.email))) or after


def weighed_rows(staged: Table) -> Table:
    """The table that a chunk lies in while it is dealt with: staged rows, whose they are, and the verdict on each."""
    columns = [Column(column.name, column.type) for column in staged.c]
    extra = (Column("subscriber_id", BigInteger), Column("verdict", SmallInteger))
    return Table("import_chunk", MetaData(), *columns, *extra, prefixes=["TEMPORARY"])


def weigh(staged: Table, list_id: int) -> Any:
    """The query for the rows of `weighed_rows`. Whoever must not be mailed is told before all others."""
    row = staged.c
    # No import may pass even one that has run out: whoever wants this mail again signs up.
    suppressed = exists().where(Suppression.address.in_((row.email, at_domain(row.email))))
    on_list, own = Subscription.id.is_not(None), row.subscription.is_not(None)
    gets_back = and_(own, Subscription.id.is_(None))
    keep = case((and_(gets_back, _is_same_suppression(row)), Verdict.JOINS_SUPPRESSED), else_=Verdict.KEEP_SUPPRESSED)
    suppress = case((gets_back, Verdict.COMES_SUPPRESSED), else_=Verdict.SUPPRESS)
    verdict = case(
        (suppressed, keep),
        (row.status.in_((Status.COMPLAINED, Status.CLEANED, Status.BLOCKED)), suppress),
        (and_(own, on_list, _came_back(row)), Verdict.ON_LIST),
        (and_(own, row.status == Status.UNSUBSCRIBED), suppress),
        (Subscription.status == SubscriptionStatus.UNSUBSCRIBED, Verdict.KEEP_UNSUBSCRIBED),
        (row.status == Status.UNSUBSCRIBED, Verdict.SUPPRESS),
        (row.status == Status.LEFT, case((on_list, Verdict.SUPPRESS), else_=Verdict.HAD_LEFT)),
        (on_list, Verdict.ON_LIST),
        (Subscriber.id.is_not(None), Verdict.JOINS),
        else_=Verdict.NEW,
    )
    return (
        select(*row, Subscriber.id, verdict)
        .select_from(staged)
        .outerjoin(Subscriber, Subscriber.email == row.email)
        .outerjoin(Subscription, and_(Subscription.list_id == list_id, Subscription.subscriber_id == Subscriber.id))
    )


def _came_back(row: Any) -> ColumnElement[bool]:
    """Whether somebody has come on the list after the time at which an export of ours says that they left."""
    left = row.status.in_((Status.LEFT, Status.UNSUBSCRIBED))
    left_at = func.coalesce(row.suppressed_at, row.unsubscribed_at)
    wanted = Subscription.status != SubscriptionStatus.UNSUBSCRIBED
    return and_(left, wanted, func.coalesce(Subscription.confirmed_at, Subscription.subscribed_at) > left_at)


def _is_same_suppression(row: Any) -> ColumnElement[bool]:
    """Whether what suppresses somebody here is what an export of ours tells: it came by one, of another list."""
    reasons = {status: reason.value for status, reason in REASONS.items()}
    return exists().where(
        Suppression.address.in_((row.email, at_domain(row.email))),
        Suppression.reason == case(reasons, value=row.status),
        Suppression.created_at == row.suppressed_at,
        Suppression.expires_at.is_not_distinct_from(row.suppressed_until),
    )


def profile_columns(source: Any) -> tuple[Any, ...]:
    """What a profile is made of, of a table's columns or of an entity."""
    return tuple(getattr(source, name) for name in PROFILE_COLUMNS)


def may_differ(rows: Any) -> ColumnElement[bool]:
    """Whether a row may tell something else than we know: the same text of JSON is surely the same."""

    def says_else(told: Any, known: Any, nothing: str) -> ColumnElement[bool]:
        return and_(cast(told, Text) != nothing, cast(told, Text) != cast(known, Text))

    return or_(
        says_else(rows.first_name, Subscriber.first_name, ""),
        says_else(rows.last_name, Subscriber.last_name, ""),
        says_else(rows.language, Subscriber.language, ""),
        says_else(rows.timezone, Subscriber.timezone, ""),
        says_else(rows.attributes, Subscriber.attributes, "{}"),
        says_else(rows.tags, Subscriber.tags, "[]"),
    )
