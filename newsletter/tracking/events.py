"""click -> event: noted in a Redis stream before the reader is answered, flushed to SQL in bulk, once each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, and_, exists, func, insert, select
from sqlalchemy.orm import Session

from newsletter.errors import UnavailableError
from newsletter.models import Delivery, Event, EventKind, List, Mailing, Publication, Subscriber, Tracking

STREAM = "newsletter:events"
MAX_USER_AGENT = 300
FLUSH_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Noted:
    """An event as it waits in the buffer; `id` is the stream's, milliseconds since 1970 and a counter."""

    id: str
    kind: EventKind
    mailing_id: int
    delivery_id: int
    link_number: int | None
    user_agent: str

    @property
    def occurred_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.id.partition("-")[0]) / 1000, UTC)


class EventBuffer:
    """The stream between the tracking endpoint and SQL."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def note(
        self, kind: EventKind, mailing_id: int, delivery_id: int, link_number: int | None, user_agent: str
    ) -> None:
        """Keep an event. Raises UnavailableError when the buffer does not answer."""
        entry: dict[Any, Any] = {
            "kind": kind.value,
            "mailing": mailing_id,
            "delivery": delivery_id,
            "link": "" if link_number is None else link_number,
            "agent": user_agent[:MAX_USER_AGENT],
        }
        try:
            self._redis.xadd(STREAM, entry)
        except RedisError as error:
            raise UnavailableError(f"the event buffer does not answer: {error}") from error

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()

    def oldest(self, limit: int = FLUSH_SIZE) -> list[Noted]:
        """The events that have waited longest."""
        entries: Any = self._redis.xrange(STREAM, count=limit)
        return [_noted(entry_id.decode(), values) for entry_id, values in entries]

    def drop(self, events: Sequence[Noted]) -> None:
        """Forget events that SQL has."""
        if events:
            self._redis.xdel(STREAM, *(event.id for event in events))


def flush(session: Session, events: Sequence[Noted]) -> int:
    """Put events into SQL; how many were new. Known ones are passed over, and those of people who are gone,
    were forgotten or may not be tracked (any more).
    """
    sources = [event.id for event in events]
    known = set(session.scalars(select(Event.source).where(Event.source.in_(sources))))
    wanted = {event.delivery_id for event in events}
    deliveries = set(session.scalars(select(Delivery.id).where(Delivery.id.in_(wanted), may_be_tracked())))
    fresh = [event for event in events if event.id not in known and event.delivery_id in deliveries]
    if fresh:
        session.execute(
            insert(Event),
            [
                {
                    "mailing_id": event.mailing_id,
                    "delivery_id": event.delivery_id,
                    "kind": event.kind,
                    "link_number": event.link_number,
                    "user_agent": event.user_agent,
                    "occurred_at": event.occurred_at,
                    "source": event.id,
                }
                for event in fresh
            ],
        )
    return len(fresh)


def may_be_tracked() -> ColumnElement[bool]:
    """Whether a delivery's recipient is still known and may be tracked, by their word or the publication's."""
    chosen = func.coalesce(Subscriber.tracking, Publication.tracking)
    agrees = (
        exists()
        .where(Subscriber.id == Delivery.subscriber_id, Mailing.id == Delivery.mailing_id)
        .where(List.id == Mailing.list_id, Publication.id == List.publication_id, chosen != Tracking.OFF.value)
    )
    return and_(Delivery.salt.is_not(None), agrees)


def _noted(entry_id: str, values: dict[bytes, bytes]) -> Noted:
    text = {key.decode(): value.decode("utf-8", "replace") for key, value in values.items()}
    return Noted(
        id=entry_id,
        kind=EventKind(text["kind"]),
        mailing_id=int(text["mailing"]),
        delivery_id=int(text["delivery"]),
        link_number=int(text["link"]) if text["link"] else None,
        user_agent=text["agent"],
    )
