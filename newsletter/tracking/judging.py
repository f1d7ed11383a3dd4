"""Events judged, all of a reader's together, and rollups changed by what that came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.models import Link
from newsletter.tracking.rollups import change
from newsletter.tracking.seen import NOBODY, Reader, Seen, insert_seen, save_verdicts
from newsletter.tracking.tally import Tally
from newsletter.tracking.verdict import Reason, Sighting, judge


def count_links(session: Session, mailing_id: int) -> int:
    """How many links the messages of a mailing have."""
    return session.scalar(select(func.count()).select_from(Link).where(Link.mailing_id == mailing_id)) or 0


def settle(
    session: Session,
    mailing_id: int,
    seen: Mapping[Reader, Sequence[Seen]],
    delivered: Mapping[Reader, datetime | None],
) -> None:
    """Judge all that was seen of some readers of a mailing, put in what is not in SQL yet, and have the rollups count
    what changed by it. The caller has the mailing to itself (models.lock_events).
    """
    links = count_links(session, mailing_id)
    tally, new, changed = Tally(), [], []
    for reader, of_reader in seen.items():
        tally.add(reader, [one for one in of_reader if one.id], times=-1)
        # Of two at one moment the same comes first, however they came here.
        in_order = sorted(of_reader, key=lambda one: (one.occurred_at, one.source))
        # Those that no reader can be told from are judged one by one.
        for together in ([one] for one in in_order) if reader == NOBODY else (in_order,):
            changed += [one for one in rule(together, delivered.get(reader), links) if one.id]
        tally.add(reader, of_reader)
        new += [one for one in of_reader if not one.id]
    insert_seen(session, mailing_id, new)
    save_verdicts(session, changed)
    change(session, mailing_id, tally.counts())


def rule(seen: Sequence[Seen], delivered_at: datetime | None, links: int) -> Iterator[Seen]:
    """Write verdicts into what was seen of one reader's message; those where that changed anything."""
    rulings = judge([_sighting(one) for one in seen], delivered_at, links)
    for one, (verdict, reason) in zip(seen, rulings, strict=True):
        if (one.verdict, one.reason) != (verdict, reason):
            one.verdict, one.reason = verdict, reason
            yield one


def _sighting(seen: Seen) -> Sighting:
    return Sighting(
        seen.kind,
        seen.occurred_at,
        seen.user_agent,
        seen.method,
        seen.ip,
        seen.link_number,
        # Who else came from the address is not asked again.
        is_crowded=seen.reason == Reason.CROWD,
        before=seen.reason,
    )
