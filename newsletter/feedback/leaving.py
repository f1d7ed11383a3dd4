"""A reader leaves the list that a message went to, by its link or by the one click of a mail program (RFC 8058)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.audience.consents import Hand
from newsletter.audience.subscriptions import unsubscribe
from newsletter.tracking.deliveries import Recipient, find_recipient, record_unsubscribe
from newsletter.tracking.departures import Departure
from newsletter.tracking.tokens import Target


def leave(session: Session, target: Target, user_agent: str, hand: Hand, now: datetime) -> Recipient | None:
    """Take the recipient of a message off its list, and say who it was; None for a delivery there never was.

    The second time changes nothing.
    """
    recipient = find_recipient(session, target)
    if recipient is not None:
        unsubscribe(session, recipient.list_id, recipient.subscriber_id, now, hand=hand)
        record_unsubscribe(session, recipient, user_agent, now)
    return recipient


def let_leave(session: Session, departure: Departure) -> None:
    """Do what a reader was promised while SQL was away, as of then."""
    hand = Hand(ip=departure.ip)
    leave(session, departure.target, departure.user_agent, hand, departure.left_at)
