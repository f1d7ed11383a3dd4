"""Events that waited in the buffer are put into SQL in bulk, once each."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from newsletter.models import Delivery, Event
from newsletter.tracking.buffer import Noted


def flush(session: Session, events: Sequence[Noted]) -> int:
    """Put events into SQL; how many were new. Known ones and those of deliveries that are gone are passed over."""
    sources = [event.id for event in events]
    known = set(session.scalars(select(Event.source).where(Event.source.in_(sources))))
    wanted = {event.delivery_id for event in events}
    deliveries = set(session.scalars(select(Delivery.id).where(Delivery.id.in_(wanted))))
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
                    "ip": event.ip,
                    "method": event.method,
                    "occurred_at": event.occurred_at,
                    "source": event.id,
                }
                for event in fresh
            ],
        )
    return len(fresh)
