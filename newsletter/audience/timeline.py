"""What happened between us and a person, the latest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Subquery,
    and_,
    case,
    cast,
    func,
    literal,
    or_,
    select,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from newsletter.errors import InputError
from newsletter.models import (
    Consent,
    Delivery,
    Event,
    List,
    Mailing,
    SignalRecord,
    Subscription,
    Verdict,
)
from newsletter.models.base import UtcDateTime


@dataclass(frozen=True, slots=True)
class Place:
    """The moment, kind and number behind which a page begins."""

    at: datetime
    kind: str
    number: int


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened: `what` it was, about what (`about`: a list or a mailing), and in whose words.

    `kind` (consent, subscribed, unsubscribed, delivery, event, signal) and `number` tell it from all others. Events
    are those of readers whose opens and clicks are kept by person.
    """

    at: datetime
    kind: str
    number: int
    what: str
    about: str
    words: str


def timeline(session: Session, subscriber_id: int, limit: int, after: Place | None = None) -> list[Moment]:
    """At most `limit` things, those before `after` where that is given.

    What happened at one moment goes by kind and number, the greatest first: pages neither lose nor repeat anything.
    """
    happened = union_all(*_parts(subscriber_id)).subquery()
    place = (happened.c.at, happened.c.kind, happened.c.number)
    found = select(happened).order_by(*(column.desc() for column in place)).limit(limit)
    if after is not None:
        found = found.where(_before(happened, after))
    return [Moment(*row) for row in session.execute(found)]


def _before(happened: Subquery, after: Place) -> ColumnElement[bool]:
    rows = happened.c
    same = and_(rows.kind == after.kind, rows.number < after.number)
    return or_(rows.at < after.at, and_(rows.at == after.at, or_(rows.kind < after.kind, same)))


def _parts(subscriber_id: int) -> list[Select[Any]]:
    subscription, consent = Subscription.subscriber_id == subscriber_id, Consent.subscriber_id == subscriber_id
    mine = select(Delivery.id).where(Delivery.subscriber_id == subscriber_id)
    joined = select(Subscription.id).join(List, List.id == Subscription.list_id).where(subscription)
    return [
        _part(
            select(Consent.id).outerjoin(List, List.id == Consent.list_id).where(consent),
            (Consent.at, "consent", Consent.id, Consent.action, List.slug, Consent.wording),
        ),
        _part(
            joined,
            (
                Subscription.subscribed_at,
                "subscribed",
                Subscription.id,
                "subscribed",
                List.slug,
                Subscription.consent,
            ),
        ),
        _part(
            joined.where(Subscription.unsubscribed_at.is_not(None)),
            (Subscription.unsubscribed_at, "unsubscribed", Subscription.id, "unsubscribed", List.slug, ""),
        ),
        _part(
            select(Delivery.id)
            .join(Mailing, Mailing.id == Delivery.mailing_id)
            .where(Delivery.subscriber_id == subscriber_id, Delivery.settled_at.is_not(None)),
            (Delivery.settled_at, "delivery", Delivery.id, Delivery.state, Mailing.subject, Delivery.reply),
        ),
        _part(
            select(Event.id).join(Mailing, Mailing.id == Event.mailing_id).where(Event.delivery_id.in_(mine)),
            (Event.occurred_at, "event", Event.id, Event.kind, Mailing.subject, _judged()),
        ),
        _part(
            select(SignalRecord.id)
            .outerjoin(Mailing, Mailing.id == SignalRecord.mailing_id)
            .where(SignalRecord.subscriber_id == subscriber_id),
            (
                SignalRecord.occurred_at,
                "signal",
                SignalRecord.id,
                SignalRecord.kind,
                Mailing.subject,
                SignalRecord.words,
            ),
        ),
    ]


def place_of(moment: Moment) -> str:
    """Where a next page goes on, as it is written on a command line."""
    return f"{moment.at.isoformat()}/{moment.kind}/{moment.number}"


def read_place(words: str) -> Place:
    """A place as `place_of` writes it. Raises InputError for anything else."""
    at, _, rest = words.partition("/")
    kind, _, number = rest.partition("/")
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not kind.isalpha():
            raise ValueError
        return Place(moment, kind, int(number))
    except ValueError:
        raise InputError(f"“{words[:60]}” is no place in a timeline: copy it from the page before") from None


def _part(found: Select[Any], columns: tuple[Any, ...]) -> Select[Any]:
    at, kind, number, what, about, words = columns
    return found.with_only_columns(
        type_coerce(at, UtcDateTime).label("at"),
        literal(kind).label("kind"),
        type_coerce(number, number.type).label("number"),
        cast(what if isinstance(what, str) else type_coerce(what, String), String).label("what"),
        _text(about).label("about"),
        _text(words).label("words"),
    )


def _judged() -> ColumnElement[str]:
    """The user agent, behind who it is judged to be where that is no person, and why: machine (trap): …"""
    judged = type_coerce(Event.verdict, String) + " (" + Event.verdict_reason + "): "
    return case((Event.verdict == Verdict.PERSON, ""), else_=judged) + Event.user_agent


def _text(column: Any) -> Any:
    return func.coalesce(column, "")
