"""Signing up by oneself: asked for, confirmed from the mailbox where the list wants that, else forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from newsletter.audience.consents import Hand, last_sign_up, note
from newsletter.audience.notices import LINK_LIFE, REMIND_AFTER, add_notice, is_open
from newsletter.audience.suppressions import has_left, is_blocked, welcome_back
from newsletter.models import (
    Consent,
    ConsentAction,
    Delivery,
    List,
    Notice,
    NoticeKind,
    OptIn,
    Subscriber,
    Subscription,
    SubscriptionStatus,
)

# After the last moment for confirming, so that whoever comes late still finds an explanation.
FORGET_AFTER = LINK_LIFE + timedelta(days=3)
_REQUESTS = (NoticeKind.CONFIRM, NoticeKind.REMINDER)


@dataclass(frozen=True, slots=True)
class Wish:
    """A sign-up as it was made: the address normalised, the wording of the consent as it was shown."""

    email: str
    first_name: str
    language: str
    wording: str
    wording_version: str


def sign_up(session: Session, mailing_list: List, wish: Wish, hand: Hand, now: datetime) -> None:
    """Take down that somebody wants a list; whoever typed the address learns nothing from it.

    A list of double opt-in writes to them, and so does any where they had left: they are not mailed otherwise until
    they confirm. Who is on it already is told so. An address that bounced, complained or is barred is not mailed.
    What is known of a person is not changed by a stranger who types their address.
    """
    if is_blocked(session, wish.email, now):
        return
    subscriber = _subscriber(session, wish, now)
    place = _place(session, mailing_list.id, subscriber.id)
    note(
        session,
        subscriber.id,
        mailing_list.id,
        ConsentAction.SIGN_UP,
        hand,
        now,
        wording=wish.wording,
        version=wish.wording_version,
    )
    left = has_left(session, subscriber.email, now) or (place and place.status is SubscriptionStatus.UNSUBSCRIBED)
    if place and place.status is SubscriptionStatus.ACTIVE and not left:
        add_notice(session, NoticeKind.ALREADY, subscriber.id, mailing_list.id, subscriber.email, now)
        return
    if place is None or place.status is SubscriptionStatus.PENDING:
        place = _pending(session, place, mailing_list, subscriber, wish, hand, now)
    if mailing_list.opt_in is OptIn.SINGLE and not left:
        place.status, place.import_id = SubscriptionStatus.ACTIVE, None
        add_notice(session, NoticeKind.WELCOME, subscriber.id, mailing_list.id, subscriber.email, now)
        return
    _ask(session, subscriber, mailing_list.id, now)


def confirm(session: Session, request: Notice, hand: Hand, now: datetime) -> bool:
    """Put whoever confirms on the list; the second time is as good as the first.

    False where the link is not good any more: expired, or older than their leaving.
    """
    place = _place(session, request.list_id, request.subscriber_id)
    if place is None or (place.status is SubscriptionStatus.UNSUBSCRIBED and _left_since(place, request)):
        return False
    if not is_open(request, now):
        return request.answered_at is not None and place.status is SubscriptionStatus.ACTIVE
    shown = last_sign_up(session, request.subscriber_id, request.list_id)
    place.status, place.unsubscribed_at, place.paused_until = SubscriptionStatus.ACTIVE, None, None
    place.confirmed_at, place.confirmed_ip = now, hand.ip
    place.opted_in_at, place.opted_in_ip = request.created_at, shown.ip if shown else None
    place.consent = shown.wording if shown else place.consent
    # No undoing of an import takes back what they did themselves.
    place.import_id = None
    request.answered_at = now
    subscriber = session.get_one(Subscriber, request.subscriber_id)
    welcome_back(session, subscriber.email)
    note(
        session,
        subscriber.id,
        request.list_id,
        ConsentAction.CONFIRM,
        hand,
        now,
        wording=shown.wording if shown else "",
        version=shown.wording_version if shown else "",
    )
    add_notice(session, NoticeKind.WELCOME, subscriber.id, request.list_id, subscriber.email, now)
    return True


def forget_unconfirmed(session: Session, now: datetime) -> int:
    """Forget sign-ups that nobody confirmed in time, and people of whom nothing else is known; how many sign-ups."""
    stale = session.scalars(
        select(Subscription)
        .where(
            Subscription.status == SubscriptionStatus.PENDING,
            Subscription.subscribed_at < now - FORGET_AFTER,
            Subscription.import_id.is_(None),
        )
        .with_for_update()
    ).all()
    for place in stale:
        of_it = (Notice.subscriber_id == place.subscriber_id, Notice.list_id == place.list_id)
        session.execute(delete(Notice).where(*of_it, Notice.kind.in_(_REQUESTS)))
        session.delete(place)
        session.flush()
        _forget_stranger(session, place.subscriber_id)
    return len(stale)


def _forget_stranger(session: Session, subscriber_id: int) -> None:
    """Forget a person who never did more than, perhaps, type their address: that was never consent."""
    subscriber = session.get_one(Subscriber, subscriber_id)
    known = session.scalar(
        select(
            exists().where(Subscription.subscriber_id == subscriber_id)
            | exists().where(Delivery.subscriber_id == subscriber_id)
            | exists().where(Consent.subscriber_id == subscriber_id, Consent.action != ConsentAction.SIGN_UP)
        )
    )
    if known or subscriber.import_id is not None:
        return
    for entity in (Notice, Consent):
        session.execute(delete(entity).where(entity.subscriber_id == subscriber_id))
    session.delete(subscriber)
    session.flush()


def _ask(session: Session, subscriber: Subscriber, list_id: int, now: datetime) -> None:
    """Ask for confirmation by mail; and once more in two days, unless that is under way already."""
    request = add_notice(session, NoticeKind.CONFIRM, subscriber.id, list_id, subscriber.email, now)
    reminded = session.scalar(
        select(func.count())
        .select_from(Notice)
        .where(
            Notice.subscriber_id == subscriber.id,
            Notice.list_id == list_id,
            Notice.kind == NoticeKind.REMINDER,
            Notice.created_at > now - LINK_LIFE,
        )
    )
    if not reminded:
        due_at = now + REMIND_AFTER
        add_notice(
            session,
            NoticeKind.REMINDER,
            subscriber.id,
            list_id,
            subscriber.email,
            now,
            due_at=due_at,
            about=request,
        )


def _subscriber(session: Session, wish: Wish, now: datetime) -> Subscriber:
    known = select(Subscriber).where(Subscriber.email == wish.email)
    found = session.scalar(known)
    if found:
        return found
    added = Subscriber(
        email=wish.email,
        first_name=wish.first_name,
        language=wish.language,
        attributes={},
        tags=[],
        created_at=now,
    )
    try:
        with session.begin_nested():
            session.add(added)
    except IntegrityError:
        # Somebody signed the same address up at this moment.
        return session.scalars(known).one()
    return added


def _place(session: Session, list_id: int, subscriber_id: int) -> Subscription | None:
    return session.scalar(
        select(Subscription)
        .where(Subscription.list_id == list_id, Subscription.subscriber_id == subscriber_id)
        .with_for_update()
    )


def _pending(
    session: Session,
    place: Subscription | None,
    mailing_list: List,
    subscriber: Subscriber,
    wish: Wish,
    hand: Hand,
    now: datetime,
) -> Subscription:
    if place is None:
        place = Subscription(list_id=mailing_list.id, subscriber_id=subscriber.id)
        session.add(place)
    place.status = SubscriptionStatus.PENDING
    place.consent, place.opted_in_at, place.opted_in_ip, place.subscribed_at = wish.wording, now, hand.ip, now
    session.flush()
    return place


def _left_since(place: Subscription, request: Notice) -> bool:
    return place.unsubscribed_at is None or place.unsubscribed_at >= request.created_at
