"""Tree -> a condition in SQL, for queries over subscribers joined with their subscriptions to one list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, String, Text, and_, cast, exists, false, func, not_, or_, select, true
from sqlalchemy.orm import Session, aliased

from newsletter.audience.lists import get_list
from newsletter.audience.segments.parse import parse
from newsletter.audience.segments.tree import (
    Action,
    Among,
    And,
    ClickedLink,
    Comparison,
    DaysAgo,
    Did,
    Empty,
    Field,
    Match,
    Node,
    Not,
    OnList,
    Operator,
    Or,
    Subscribed,
    SubscribedWithin,
    Tagged,
    Value,
)
from newsletter.audience.segments.values import compared, in_lower_case, same, text_of
from newsletter.db import is_postgresql
from newsletter.models import (
    Delivery,
    DeliveryState,
    Event,
    EventKind,
    Link,
    Mailing,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Verdict,
)

_KINDS = {"opened": EventKind.OPEN, "clicked": EventKind.CLICK}


def condition(session: Session, expression: str | None, list_id: int, now: datetime) -> ColumnElement[bool]:
    """Whether a subscriber of the list is in the segment at `now`; everybody is where there is no expression.

    Raises ExpressionError, and NotFoundError for a list that the expression names and nobody knows.
    """
    return _Builder(session, list_id, now).build(parse(expression)) if expression else true()


@dataclass(frozen=True, slots=True)
class _Builder:
    """Every condition it builds is true or false, never null, so that `not` turns it around."""

    session: Session
    list_id: int
    now: datetime

    def build(self, node: Node) -> ColumnElement[bool]:
        match node:
            case Comparison(field, operator, value):
                return self._compared(field, operator, value)
            case Match(field, how, text):
                return _matches(text_of(field), how, text)
            case Among(field, values):
                return self._among(field, values)
            case Empty(field):
                return text_of(field) == ""
            case Tagged(tag):
                return self._tagged(tag)
            case Subscribed(when, day):
                midnight = datetime.combine(day, time.min, UTC)
                since = _subscribed_at()
                return since < midnight if when == "before" else since >= midnight + timedelta(days=1)
            case SubscribedWithin(days):
                return _subscribed_at() >= self.now - timedelta(days=days)
            case Did(action, quantity, last):
                mailings = self._last_mailings(last)
                if quantity == "all":
                    each = [self._did(action, [mailing_id]) for mailing_id in mailings]
                    return and_(*each) if each else false()
                anything = self._did(action, mailings) if mailings else false()
                return anything if quantity == "any" else not_(anything)
            case ClickedLink(text):
                return self._clicked_link(text)
            case OnList(slug):
                return self._on_list(slug)
            case Not(part):
                return not_(self.build(part))
            case And(parts):
                return and_(*map(self.build, parts))
            case Or(parts):
                return or_(*map(self.build, parts))

    def _compared(self, field: Field, operator: Operator, value: Value) -> ColumnElement[bool]:
        if isinstance(value, DaysAgo):
            value = self.now.astimezone(UTC).date() - timedelta(days=value.days)
        return compared(field, operator, value, on_postgresql=is_postgresql(self.session))

    def _among(self, field: Field, values: Sequence[Value]) -> ColumnElement[bool]:
        """All texts are looked for at one look."""
        texts = [value for value in values if isinstance(value, str)]
        others = [self._compared(field, "=", value) for value in values if not isinstance(value, str)]
        return or_(*others, *([same(text_of(field), *texts)] if texts else []))

    def _tagged(self, tag: str) -> ColumnElement[bool]:
        each = func.jsonb_array_elements_text if is_postgresql(self.session) else func.json_each
        one = (
            each(Subscriber.tags).table_valued("value").render_derived()
            if is_postgresql(self.session)
            else (each(Subscriber.tags).table_valued("value"))
        )
        found = select(1).select_from(one).where(same(cast(one.c.value, String), tag)).correlate(Subscriber)
        return and_(cast(Subscriber.tags, Text) != "[]", found.exists())

    def _last_mailings(self, last: int) -> Sequence[int]:
        """The mailings of the list that began last. Of a pruned one nobody knows any more who did what."""
        return self.session.scalars(
            select(Mailing.id)
            .where(
                Mailing.list_id == self.list_id,
                Mailing.started_at <= self.now,
                Mailing.audience_size.is_not(None),
                Mailing.pruned_at.is_(None),
            )
            .order_by(Mailing.started_at.desc(), Mailing.id.desc())
            .limit(last)
        ).all()

    def _did(self, action: Action, mailings: Sequence[int]) -> ColumnElement[bool]:
        if action == "received":
            return self._is_one_of(
                select(Delivery.subscriber_id).where(
                    Delivery.mailing_id.in_(mailings), Delivery.state == DeliveryState.SENT
                )
            )
        return self._is_one_of(_readers(_KINDS[action]).where(Event.mailing_id.in_(mailings)))

    def _clicked_link(self, text: str) -> ColumnElement[bool]:
        of_list = select(Mailing.id).where(Mailing.list_id == self.list_id)
        same_link = and_(Link.mailing_id == Event.mailing_id, Link.number == Event.link_number)
        return self._is_one_of(
            _readers(EventKind.CLICK)
            .join(Link, same_link)
            .where(Event.mailing_id.in_(of_list), _matches(Link.__table__.c.url, "contains", text))
        )

    def _is_one_of(self, people: Select[int]) -> ColumnElement[bool]:
        """Each database in the form it answers fast, whether turned around or not: PostgreSQL joins what exists,
        SQLite makes a set of what is in."""
        if is_postgresql(self.session):
            return people.where(Delivery.subscriber_id == Subscriber.id).correlate(Subscriber).exists()
        return Subscriber.id.in_(people)

    def _on_list(self, slug: str) -> ColumnElement[bool]:
        other = aliased(Subscription)
        return exists().where(
            other.list_id == get_list(self.session, slug).id,
            other.subscriber_id == Subscriber.id,
            other.status == SubscriptionStatus.ACTIVE,
        )


def _readers(kind: EventKind) -> Select[int]:
    return (
        select(Delivery.subscriber_id)
        .join(Event, Event.delivery_id == Delivery.id)
        .where(Event.kind == kind, Event.verdict == Verdict.PERSON)
    )


def _matches(known: ColumnElement[str], how: str, text: str) -> ColumnElement[bool]:
    lower = in_lower_case(known, text)
    if how == "contains":
        return lower.contains(text.lower(), autoescape=True)
    return lower.startswith(text.lower(), autoescape=True)


def _subscribed_at() -> ColumnElement[datetime]:
    return func.coalesce(Subscription.opted_in_at, Subscription.subscribed_at)
