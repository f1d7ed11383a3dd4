"""A subscriber's place on a list: left, paused, taken up again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from newsletter.audience.consents import Hand, note
from newsletter.audience.suppressions import suppress
from newsletter.models import ConsentAction, Subscriber, Subscription, SubscriptionStatus, SuppressionReason

PAUSE = timedelta(days=30)
LEFT_ALL = "left all lists"


def unsubscribe(
    session: Session, list_id: int, subscriber_id: int, now: datetime, *, hand: Hand | None = None, reason: str = ""
) -> bool:
    """Take a subscriber off a list, at once and for messages already queued. Whether that changed anything.

    The consent trail keeps it, with the `reason` they gave.
    """
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
    if changed.first() is None:
        return False
    note(session, subscriber_id, list_id, ConsentAction.UNSUBSCRIBE, hand or Hand(), now, wording=reason)
    return True


def unsubscribe_all(session: Session, subscriber: Subscriber, hand: Hand, now: datetime, reason: str = "") -> None:
    """Take a subscriber off every list. No import puts the address on another; by confirming they may come back."""
    for list_id in session.scalars(select(Subscription.list_id).where(Subscription.subscriber_id == subscriber.id)):
        unsubscribe(session, list_id, subscriber.id, now, hand=hand, reason=reason)
    note(session, subscriber.id, None, ConsentAction.UNSUBSCRIBE, hand, now, wording=reason)
    suppress(session, subscriber.email, SuppressionReason.UNSUBSCRIBED, LEFT_ALL, now)


def pause(session: Session, list_id: int, subscriber_id: int, hand: Hand, now: datetime) -> bool:
    """Send a subscriber nothing on a list for thirty days. Whether they are on it."""
    return _set_pause(session, list_id, subscriber_id, now + PAUSE, ConsentAction.PAUSE, hand, now)


def resume(session: Session, list_id: int, subscriber_id: int, hand: Hand, now: datetime) -> bool:
    """End a pause. Whether they are on the list."""
    return _set_pause(session, list_id, subscriber_id, None, ConsentAction.RESUME, hand, now)


def _set_pause(
    session: Session,
    list_id: int,
    subscriber_id: int,
    until: datetime | None,
    action: ConsentAction,
    hand: Hand,
    now: datetime,
) -> bool:
    changed = session.execute(
        update(Subscription)
        .where(
            Subscription.list_id == list_id,
            Subscription.subscriber_id == subscriber_id,
            Subscription.status == SubscriptionStatus.ACTIVE,
        )
        .values(paused_until=until)
        .returning(Subscription.id)
    )
    if changed.first() is None:
        return False
    note(session, subscriber_id, list_id, action, hand, now, wording=until.isoformat() if until else "")
    return True
