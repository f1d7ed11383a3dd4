"""What the tracking endpoint needs to know of a delivery and its mailing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.models import (
    Delivery,
    EventKind,
    Link,
    List,
    Mailing,
    Publication,
    Verdict,
    unsubscribe_source,
)
from newsletter.tracking.addressees import find_addressees, find_pruned
from newsletter.tracking.rollups import change
from newsletter.tracking.seen import Seen, insert_new
from newsletter.tracking.tally import Tally
from newsletter.tracking.tokens import Target


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a message went to, on which list, and in whose language to speak to them (BCP 47)."""

    mailing_id: int
    delivery_id: int
    list_id: int
    subscriber_id: int
    publication: str
    language: str


def find_recipient(session: Session, target: Target) -> Recipient | None:
    """The recipient of a delivery, pruned or not; None for one there never was."""
    subscriber_id = session.scalar(
        select(Delivery.subscriber_id).where(
            Delivery.id == target.delivery_id, Delivery.mailing_id == target.mailing_id
        )
    )
    if subscriber_id is None:
        pruned = dict(find_pruned(session, target.mailing_id, [target.delivery_id]))
        subscriber_id = pruned.get(target.delivery_id)
    if subscriber_id is None:
        return None
    list_id, publication, language = session.execute(
        select(Mailing.list_id, Publication.name, Publication.language)
        .join(List, List.id == Mailing.list_id)
        .join(Publication, Publication.id == List.publication_id)
        .where(Mailing.id == target.mailing_id)
    ).one()
    return Recipient(target.mailing_id, target.delivery_id, list_id, subscriber_id, publication, language)


def link_targets(session: Session, mailing_id: int) -> dict[int, str]:
    """Where the links of a mailing lead, by their numbers."""
    rows = session.execute(select(Link.number, Link.url).where(Link.mailing_id == mailing_id))
    return dict(rows.all())


def record_unsubscribe(session: Session, recipient: Recipient, user_agent: str, now: datetime) -> None:
    """Write down that a message made its reader unsubscribe, once for each message, as much of it as they wish."""
    mailing_id, delivery_id = recipient.mailing_id, recipient.delivery_id
    person = find_addressees(session, mailing_id, [delivery_id]).get(delivery_id)
    if person is None:
        return
    left = Seen(
        id=0,
        reader=person.reader,
        kind=EventKind.UNSUBSCRIBE,
        link_number=None,
        method="POST",
        user_agent=user_agent,
        ip=None,
        domain=person.domain,
        verdict=Verdict.PERSON,
        reason="",
        occurred_at=now,
        # Once nobody can tell the readers of a mailing apart, nor can this.
        source=unsubscribe_source(person.name or token_urlsafe(16)),
    )
    if insert_new(session, mailing_id, left):
        tally = Tally()
        tally.add(left.reader, [left])
        change(session, mailing_id, tally.counts())
