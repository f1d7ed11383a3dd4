"""People: found by their address, shown with all that is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, inspect, select
from sqlalchemy.orm import Session

from newsletter.errors import NotFoundError
from newsletter.models import (
    Base,
    Consent,
    Delivery,
    Event,
    ImportChange,
    List,
    Publication,
    SignalRecord,
    Subscriber,
    Subscription,
    Suppression,
    Tracking,
)


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody in a listing; `status` is that on the list asked for, empty where none was."""

    email: str
    first_name: str
    last_name: str
    status: str


def find_subscribers(session: Session, search: str, after: str, limit: int, list_id: int | None) -> list[Found]:
    """At most `limit` people whose address begins with `search`, in order, those behind the address `after`."""
    # Whatever order a database has for letters, what begins with a text does not come before it.
    begins = func.substr(Subscriber.email, 1, len(search)) == search
    found = (
        select(Subscriber.email, Subscriber.first_name, Subscriber.last_name)
        .where(Subscriber.email >= search, Subscriber.email > after, begins)
        .order_by(Subscriber.email)
        .limit(limit)
    )
    if list_id is None:
        return [Found(email, first, last, "") for email, first, last in session.execute(found)]
    on_list = found.join(Subscription, Subscription.subscriber_id == Subscriber.id)
    rows = session.execute(on_list.where(Subscription.list_id == list_id).add_columns(Subscription.status))
    return [Found(email, first, last, status.value) for email, first, last, status in rows]


def get_subscriber(session: Session, email: str) -> Subscriber:
    """Whoever has that address (normalised). Raises NotFoundError."""
    found = session.scalar(select(Subscriber).where(Subscriber.email == email))
    if found is None:
        raise NotFoundError(f"there is no subscriber {email}: `newsletter subscriber ls --search` finds addresses")
    return found


def suppressions_of(session: Session, email: str) -> list[Suppression]:
    """Those of the address, and of its domain."""
    domain = email[email.rindex("@") :]
    return list(session.scalars(select(Suppression).where(Suppression.address.in_((email, domain)))))


def subscriptions_of(session: Session, subscriber_id: int) -> list[tuple[str, Subscription]]:
    """Their places, with the list's short name, by that."""
    found = (
        select(List.slug, Subscription)
        .join(List, List.id == Subscription.list_id)
        .where(Subscription.subscriber_id == subscriber_id)
        .order_by(List.slug)
    )
    return [(slug, place) for slug, place in session.execute(found)]


def tracking_of(session: Session, subscriber: Subscriber) -> dict[str, Tracking]:
    """What is kept of their reading, by the short names of their lists: their own choice, or the publication's."""
    rows = session.execute(
        select(List.slug, Publication.tracking)
        .join(Subscription, Subscription.list_id == List.id)
        .join(Publication, Publication.id == List.publication_id)
        .where(Subscription.subscriber_id == subscriber.id)
    )
    return {slug: subscriber.tracking or published for slug, published in rows}


def everything_of(session: Session, email: str) -> dict[str, Any]:
    """All that is held about an address (normalised), as plain values. Raises NotFoundError where nothing is."""
    subscriber = session.scalar(select(Subscriber).where(Subscriber.email == email))
    suppressions = suppressions_of(session, email)
    if subscriber is None and not suppressions:
        raise NotFoundError(f"nothing is known of {email}")
    held: dict[str, Any] = {"email": email, "suppressions": [_plain(one) for one in suppressions]}
    if subscriber is None:
        return held
    mine = select(Delivery.id).where(Delivery.subscriber_id == subscriber.id)
    held["subscriber"] = _plain(subscriber)
    held["lists"] = [{"list": slug, **_plain(place)} for slug, place in subscriptions_of(session, subscriber.id)]
    for name, entity, condition in (
        ("consents", Consent, Consent.subscriber_id == subscriber.id),
        ("deliveries", Delivery, Delivery.subscriber_id == subscriber.id),
        ("events", Event, Event.delivery_id.in_(mine)),
        ("signals", SignalRecord, SignalRecord.subscriber_id == subscriber.id),
        ("changes_by_imports", ImportChange, ImportChange.subscriber_id == subscriber.id),
    ):
        held[name] = [_plain(one) for one in session.scalars(select(entity).where(condition))]
    return held


def _plain(row: Base) -> dict[str, Any]:
    """A row's columns; bytes, which are salts, say nothing about a person."""
    values = {column.key: getattr(row, column.key) for column in inspect(type(row)).column_attrs}
    return {name: value for name, value in values.items() if not isinstance(value, bytes)}
