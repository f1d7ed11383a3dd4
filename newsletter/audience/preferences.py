"""What a reader may set for themselves, and what they see of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from newsletter.audience.consents import Hand, note
from newsletter.models import (
    ConsentAction,
    List,
    Publication,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Tracking,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A list as one reader sees it. `status` is None where they never were on it."""

    list_id: int
    slug: str
    name: str
    description: str
    publication: str
    status: SubscriptionStatus | None
    paused_until: datetime | None
    may_join: bool

    @property
    def is_on(self) -> bool:
        return self.status is SubscriptionStatus.ACTIVE


def places(session: Session, subscriber_id: int, now: datetime) -> list[Place]:
    """The lists a reader is on or was on, and the public ones of the same publications, by name."""
    own = (
        select(List.publication_id)
        .join(Subscription, Subscription.list_id == List.id)
        .where(Subscription.subscriber_id == subscriber_id)
    )
    rows = session.execute(
        select(List, Publication.name, Subscription.status, Subscription.paused_until)
        .join(Publication, Publication.id == List.publication_id)
        .outerjoin(Subscription, and_(Subscription.list_id == List.id, Subscription.subscriber_id == subscriber_id))
        .where(or_(Subscription.id.is_not(None), and_(List.is_public, List.publication_id.in_(own))))
        .order_by(List.name, List.id)
    )
    found = [
        Place(
            one.id,
            one.slug,
            one.name,
            one.description,
            publication,
            status,
            paused if paused and paused > now else None,
            one.is_public or status is not None,
        )
        for one, publication, status, paused in rows
    ]
    return [place for place in found if place.is_on or place.may_join]


def set_tracking(session: Session, subscriber: Subscriber, tracking: Tracking, hand: Hand, now: datetime) -> None:
    """Let a reader say how much may be kept of what they do."""
    if subscriber.tracking is not tracking:
        subscriber.tracking = tracking
        note(session, subscriber.id, None, ConsentAction.TRACKING, hand, now, wording=tracking.value)


def set_language(session: Session, subscriber: Subscriber, language: str, hand: Hand, now: datetime) -> None:
    """Let a reader choose the language they are spoken to in."""
    if subscriber.language != language:
        subscriber.language = language
        note(session, subscriber.id, None, ConsentAction.PROFILE, hand, now, wording=f"language: {language}")
