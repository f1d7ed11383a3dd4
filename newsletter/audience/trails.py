"""Consent trails taken out, and put back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import insert, or_, select
from sqlalchemy.orm import Session

from newsletter.audience.past import Decision
from newsletter.models import Consent, Subscription


def trails_of(session: Session, list_id: int, first: int, last: int) -> Mapping[int, Sequence[Decision]]:
    """The decisions on a list and on all lists, of its people from one number to another."""
    found = (
        select(Consent)
        .join(Subscription, Subscription.subscriber_id == Consent.subscriber_id)
        .where(
            Subscription.list_id == list_id,
            Consent.subscriber_id.between(first, last),
            or_(Consent.list_id == list_id, Consent.list_id.is_(None)),
        )
        # The same whichever list's export brought those on all lists.
        .order_by(Consent.at, Consent.list_id.is_(None), Consent.id)
    )
    trails: defaultdict[int, list[Decision]] = defaultdict(list)
    for one in session.scalars(found):
        trails[one.subscriber_id].append(
            Decision(
                action=one.action,
                everywhere=one.list_id is None,
                wording=one.wording,
                version=one.wording_version,
                ip=one.ip,
                by=one.by,
                at=one.at,
            )
        )
    return trails


def add_trails(session: Session, trails: Mapping[int, Sequence[Decision]], list_id: int, import_id: int) -> None:
    """Put decisions back, but for those on all lists that came with another list already."""
    if not trails:
        return
    everywhere = select(Consent.subscriber_id, Consent.action, Consent.at).where(
        Consent.subscriber_id.in_(trails), Consent.list_id.is_(None)
    )
    known = {tuple(row) for row in session.execute(everywhere)}
    rows = [
        {
            "subscriber_id": subscriber_id,
            "list_id": None if one.everywhere else list_id,
            "action": one.action,
            "wording": one.wording,
            "wording_version": one.version,
            "ip": one.ip,
            "by": one.by,
            "at": one.at,
            "import_id": import_id,
        }
        for subscriber_id, trail in trails.items()
        for one in trail
        if not (one.everywhere and (subscriber_id, one.action, one.at) in known)
    ]
    if rows:
        session.execute(insert(Consent), rows)
