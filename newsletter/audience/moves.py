"""A reader's change of address: confirmed at the new one, told at the old one, which may undo it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from newsletter.audience.consents import Hand, note
from newsletter.audience.notices import add_notice, is_open
from newsletter.audience.suppressions import is_blocked, suppress, welcome_back
from newsletter.models import (
    ConsentAction,
    Notice,
    NoticeKind,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)

# Where a suppression comes from that keeps imports from writing to an address that was left.
MOVED = "moved to another address"


def ask_to_move(
    session: Session, subscriber: Subscriber, list_id: int, email: str, hand: Hand, now: datetime
) -> None:
    """Ask at the new address (normalised) whether it is theirs, and tell the old one; nothing changes yet.

    Where somebody else has that address, they are told that they are subscribed already; whoever asks sees no
    difference. An address that bounced, complained or is barred is not mailed.
    """
    if email == subscriber.email:
        return
    note(session, subscriber.id, None, ConsentAction.ADDRESS, hand, now, wording=f"asked for {email}")
    if is_blocked(session, email, now):
        return
    other = session.scalar(select(Subscriber.id).where(Subscriber.email == email))
    if other is not None:
        _tell_other(session, other, email, now)
        return
    request = add_notice(session, NoticeKind.NEW_ADDRESS, subscriber.id, list_id, email, now)
    add_notice(session, NoticeKind.OLD_ADDRESS, subscriber.id, list_id, subscriber.email, now, about=request)


def move(session: Session, request: Notice, hand: Hand, now: datetime) -> bool:
    """Change the address to the one that confirmed; the second time is as good as the first.

    False where the link is not good any more: expired, vetoed, or the address is somebody's by now.
    """
    subscriber = session.get_one(Subscriber, request.subscriber_id, with_for_update=True)
    if not is_open(request, now):
        return request.answered_at is not None and subscriber.email == request.email
    old = subscriber.email
    if is_blocked(session, request.email, now) or not _readdress(session, subscriber, request.email):
        return False
    request.answered_at = now
    welcome_back(session, request.email)
    # No import makes a second reader of the address that was left.
    suppress(session, old, SuppressionReason.UNSUBSCRIBED, MOVED, now)
    note(session, subscriber.id, None, ConsentAction.ADDRESS, hand, now, wording=f"{old} -> {request.email}")
    return True


def veto(session: Session, warning: Notice, hand: Hand, now: datetime) -> bool:
    """Forbid a change of address from the old one, or take it back. False where the link is not good any more."""
    request = session.get_one(Notice, warning.about_id, with_for_update=True)
    if not is_open(warning, now):
        return warning.answered_at is not None
    subscriber = session.get_one(Subscriber, warning.subscriber_id, with_for_update=True)
    if subscriber.email == request.email and not _readdress(session, subscriber, warning.email):
        return False
    was_moved = Suppression.source == MOVED
    session.execute(delete(Suppression).where(Suppression.address == warning.email, was_moved))
    warning.answered_at = now
    request.answered_at, request.due_at = request.answered_at or now, None
    note(session, subscriber.id, None, ConsentAction.ADDRESS, hand, now, wording=f"vetoed {request.email}")
    return True


def _readdress(session: Session, subscriber: Subscriber, email: str) -> bool:
    try:
        with session.begin_nested():
            subscriber.email = email
    except IntegrityError:
        session.refresh(subscriber)
        return False
    return True


def _tell_other(session: Session, subscriber_id: int, email: str, now: datetime) -> None:
    list_id = session.scalar(
        select(Subscription.list_id)
        .where(Subscription.subscriber_id == subscriber_id, Subscription.status == SubscriptionStatus.ACTIVE)
        .order_by(Subscription.id)
        .limit(1)
    )
    if list_id is not None:
        add_notice(session, NoticeKind.ALREADY, subscriber_id, list_id, email, now)
