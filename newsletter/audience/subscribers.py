"""People: found by their address, shown with all that is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, String, cast, func, inspect, literal, or_, select
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

# No address has it, so every text that begins with another comes before that other followed by it.
_LAST_CHARACTER = "\U0010ffff"
# So many people are sorted in some hundredths of a second.
_SMALL = 30_000


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody in a listing; `status` is that on the list asked for, empty where none was."""

    email: str
    first_name: str
    last_name: str
    status: str


def find_subscribers(session: Session, search: str, after: str, limit: int, list_id: int | None) -> list[Found]:
    """At most `limit` people whose address begins with `search`, in order, those behind the address `after`.

    Neither search nor order regards capitals; of addresses that differ in nothing else all are found.
    """
    columns = (Subscriber.email, Subscriber.first_name, Subscriber.last_name)
    people = select(*columns, literal("").label("status"), Subscriber.folded_email)
    if list_id is not None:
        status = cast(Subscription.status, String).label("status")
        people = select(*columns, status, Subscriber.folded_email).join(Subscription)
        people = people.where(Subscription.list_id == list_id)
        if _is_small(session, list_id):
            people = select(people.cte("people").prefix_with("MATERIALIZED"))
    page = _page(people, search, after).limit(limit)
    return [Found(email, first, last, status) for email, first, last, status, _ in session.execute(page)]


def _is_small(session: Session, list_id: int) -> bool:
    """Whether a list is sorted sooner than its people are met among all others."""
    some = select(Subscription.id).where(Subscription.list_id == list_id).limit(_SMALL + 1)
    return (session.scalar(select(func.count()).select_from(some.subquery())) or 0) <= _SMALL


def _page(people: Select[*tuple[Any, ...]], search: str, after: str) -> Select[*tuple[Any, ...]]:
    folded, email = people.selected_columns.folded_email, people.selected_columns.email
    # One bound from below: of two, a database may read on from the lesser.
    start = max(search, after, key=str.lower)
    page = people.where(folded >= func.lower(start), folded < func.lower(search).concat(_LAST_CHARACTER))
    if after:
        page = page.where(or_(folded > func.lower(after), email > after))
    return page.order_by(folded, email)


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
