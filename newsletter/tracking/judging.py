"""Events judged, all of a reader's together, and rollups changed by what that came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.models import Link
from newsletter.tracking.addressees import Posted
from newsletter.tracking.rollups import change
from newsletter.tracking.seen import NOBODY, Reader, Seen, insert_seen, save_verdicts
from newsletter.tracking.tally import Tally
from newsletter.tracking.verdict import Reason, Sighting, judge


def settle(
    session: Session, mailing_id: int, seen: Mapping[Reader, Sequence[Seen]], posted: Mapping[Reader, Posted]
) -> int:
    """Judge all that was seen of some readers of a mailing, put in what is not in SQL yet, and have the rollups count
    what changed by it; of how many that were in SQL the verdict changed. `posted` is what became of their messages.

    The caller has the mailing to itself (models.lock_events).
    """
    links = _count_links(session, mailing_id)
    tally, new, changed = Tally(), [], []
    for reader, of_reader in seen.items():
        tally.add(reader, [one for one in of_reader if one.id], times=-1)
        changed += [one for one in _judge(reader, of_reader, posted.get(reader, Posted()), links) if one.id]
        tally.add(reader, of_reader)
        new += [one for one in of_reader if not one.id]
    insert_seen(session, mailing_id, new)
    save_verdicts(session, changed)
    change(session, mailing_id, tally.counts())
    return len(changed)


def _judge(reader: Reader, seen: Sequence[Seen], posted: Posted, links: int) -> Iterator[Seen]:
    if reader == NOBODY:
        # No reader can be told from them.
        for one in seen:
            yield from _rule([one], None, links)
    elif seen:
        # Of two at one moment the same comes first, however they came here.
        in_order = sorted(seen, key=lambda one: (one.occurred_at, one.source))
        yield from _rule(in_order, posted.delivered_before(in_order[0].occurred_at), links)


def _rule(seen: Sequence[Seen], delivered_at: datetime | None, links: int) -> Iterator[Seen]:
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
        # Who else came from an address is not known for long.
        is_crowded=seen.is_crowded or seen.reason == Reason.CROWD,
        before=seen.reason,
    )


def _count_links(session: Session, mailing_id: int) -> int:
    """How many links the messages of a mailing have."""
    return session.scalar(select(func.count()).select_from(Link).where(Link.mailing_id == mailing_id)) or 0
