"""Events that waited in the buffer are put into SQL in bulk, once each."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, exists, func, insert, select
from sqlalchemy.orm import Session

from newsletter.models import Delivery, Event, List, Mailing, Publication, Subscriber, Tracking
from newsletter.tracking.buffer import Noted


def flush(session: Session, events: Sequence[Noted]) -> int:
    """Put events into SQL; how many were new. Known ones are passed over, and those of people who are gone,
    were forgotten or may not be tracked (any more).

    Addresses stay behind: no report needs them, and who was forgotten is not to be found by one.
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
                    "method": event.method,
                    "occurred_at": event.occurred_at,
                    "source": event.id,
                }
                for event in fresh
            ],
        )
    return len(fresh)


def may_be_tracked() -> ColumnElement[bool]:
    """Whether a delivery's recipient is still known, and leaves us to note what they do: by their own word, or else
    by the publication's.
    """
    chosen = func.coalesce(Subscriber.tracking, Publication.tracking)
    agrees = (
        exists()
        .where(Subscriber.id == Delivery.subscriber_id, Mailing.id == Delivery.mailing_id)
        .where(List.id == Mailing.list_id, Publication.id == List.publication_id, chosen != Tracking.OFF.value)
    )
    return and_(Delivery.salt.is_not(None), agrees)
