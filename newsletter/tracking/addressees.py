"""Whom messages were for, pruned or not, and how much may be kept of what they do, as they wish it now."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.bulk import is_among
from newsletter.models import (
    OPEN_STATES,
    Batch,
    Delivery,
    DeliveryState,
    List,
    Mailing,
    Publication,
    Subscriber,
    Tracking,
    members,
    reader_name,
)
from newsletter.tracking.providers import provider_of
from newsletter.tracking.seen import Reader


class Posted(NamedTuple):
    """What became of a delivery; nobody knows it of a pruned one."""

    state: DeliveryState | None = None
    settled_at: datetime | None = None

    def delivered_before(self, moment: datetime) -> datetime | None:
        """When the message came, given that something was first seen of it at a moment; None where that is not known.

        The ledger may be told later than the reader.
        """
        if self.state in OPEN_STATES:
            return moment
        return self.settled_at if self.state is DeliveryState.SENT else None


@dataclass(frozen=True, slots=True)
class Addressee:
    """The recipient of a delivery, of whom something may be kept: who it was, only where they are `named`.

    `name` is that without a person (models.reader_name), `domain` their large provider or `other`.
    """

    delivery_id: int
    name: str
    domain: str
    is_named: bool
    posted: Posted

    @property
    def reader(self) -> Reader:
        return (self.delivery_id, "") if self.is_named else (None, self.name)


def find_addressees(session: Session, mailing_id: int, delivery_ids: Collection[int]) -> dict[int, Addressee]:
    """The recipients of a mailing's deliveries by the deliveries' numbers; those of whom nothing may be kept, and who
    were forgotten, are left out.
    """
    facts = session.execute(
        select(Publication.tracking, Mailing.reader_salt)
        .join(List, List.publication_id == Publication.id)
        .join(Mailing, Mailing.list_id == List.id)
        .where(Mailing.id == mailing_id)
    ).first()
    if facts is None:
        return {}
    published, salt = facts
    return {
        known.delivery_id: Addressee(
            delivery_id=known.delivery_id,
            name=reader_name(salt, known.delivery_id),
            domain=provider_of(known.email),
            is_named=(known.tracking or published) is Tracking.INDIVIDUAL,
            posted=known.posted,
        )
        for known in _known(session, mailing_id, delivery_ids)
        if (known.tracking or published) is not Tracking.OFF
    }


class _Known(NamedTuple):
    """A delivery and its subscriber."""

    delivery_id: int
    email: str
    tracking: Tracking | None
    posted: Posted = Posted()


def _known(session: Session, mailing_id: int, delivery_ids: Collection[int]) -> Iterator[_Known]:
    rows = session.execute(
        select(Delivery.id, Delivery.email, Subscriber.tracking, Delivery.state, Delivery.settled_at)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        # Without a salt it is of somebody who was forgotten.
        .where(
            Delivery.mailing_id == mailing_id,
            is_among(session, Delivery.id, delivery_ids),
            Delivery.salt.is_not(None),
        )
    ).all()
    yield from (_Known(row.id, row.email, row.tracking, Posted(row.state, row.settled_at)) for row in rows)
    missing = sorted(set(delivery_ids).difference(row.id for row in rows))
    subscribers = dict(find_pruned(session, mailing_id, missing)) if missing else {}
    if subscribers:
        columns = (Subscriber.id, Subscriber.email, Subscriber.tracking)
        people = session.execute(select(*columns).where(is_among(session, Subscriber.id, set(subscribers.values()))))
        known = {number: (email, tracking) for number, email, tracking in people}
        yield from (_Known(number, *known[person]) for number, person in subscribers.items() if person in known)


def find_pruned(session: Session, mailing_id: int, delivery_ids: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs of delivery and subscriber, of deliveries that the ledger has no more; they are given in their order."""
    batches = session.execute(
        select(Batch.id, Batch.first_id, Batch.last_id).where(
            Batch.mailing_id == mailing_id,
            Batch.members.is_not(None),
            Batch.first_id <= delivery_ids[-1],
            Batch.last_id >= delivery_ids[0],
        )
    ).all()
    for batch_id, first, last in batches:
        wanted = delivery_ids[bisect_left(delivery_ids, first) : bisect_right(delivery_ids, last)]
        if wanted:
            packed = session.scalar(select(Batch.members).where(Batch.id == batch_id)) or b""
            found = ((number, members.find(packed, number)) for number in wanted)
            yield from ((number, person) for number, person in found if person is not None)
