"""A subscriber's place on a list."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from newsletter.models import Subscription, SubscriptionStatus


def unsubscribe(session: Session, list_id: int, subscriber_id: int, now: datetime) -> bool:
    """Take a subscriber off a list, at once and for messages already queued. Whether that changed anything."""
    changed = session.execute(
        update(Subscription)
        .where(
            Subscription.list_id == list_id,
            Subscription.subscriber_id == subscriber_id,
            Subscription.status != SubscriptionStatus.UNSUBSCRIBED,
        )
        .values(status=SubscriptionStatus.UNSUBSCRIBED, unsubscribed_at=now)
        .returning(Subscription.id)
    )
    return changed.first() is not None
