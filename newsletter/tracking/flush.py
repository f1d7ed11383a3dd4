"""Events that waited in the buffer are put into SQL in bulk: each once, as much of it as its reader wishes, judged
with all that was seen of the same message before, and counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.bulk import is_among, look_up_by_index
from newsletter.models import Event, EventKind, Verdict, lock_events
from newsletter.tracking.addressees import Addressee, find_addressees
from newsletter.tracking.agents import is_scanners
from newsletter.tracking.buffer import Noted
from newsletter.tracking.crowds import WITHIN, Crowds
from newsletter.tracking.judging import settle
from newsletter.tracking.seen import NOBODY, Reader, Seen, find_seen
from newsletter.tracking.verdict import Reason

# Of one reader's message no more is kept: whoever has its address could otherwise have us judge without end.
MOST_OF_A_READER = 1000

Kept = tuple[Noted, Addressee]


def flush(session: Session, events: Sequence[Noted]) -> int:
    """Put events into SQL; how many were new and are kept.

    Known ones are passed over, and those of readers who are gone, were forgotten or want nothing kept (any more).
    Whether an address served a crowd is judged by the events given here and by those addresses that are kept.
    """
    look_up_by_index(session)
    lock_events(session, {event.mailing_id for event in events})
    known = set(
        session.scalars(select(Event.source).where(is_among(session, Event.source, [event.id for event in events])))
    )
    fresh: dict[int, dict[str, Noted]] = defaultdict(dict)
    for event in events:
        if event.id not in known:
            fresh[event.mailing_id][event.id] = event
    kept = {mailing_id: _kept(session, mailing_id, list(noted.values())) for mailing_id, noted in fresh.items()}
    crowds = Crowds(_visits(session, [event for pairs in kept.values() for event, _ in pairs]))
    return sum(_keep(session, mailing_id, pairs, crowds) for mailing_id, pairs in sorted(kept.items()) if pairs)


def _kept(session: Session, mailing_id: int, noted: Sequence[Noted]) -> list[Kept]:
    people = find_addressees(session, mailing_id, {event.delivery_id for event in noted})
    return [(event, people[event.delivery_id]) for event in noted if event.delivery_id in people]


def _visits(session: Session, events: Sequence[Noted]) -> list[tuple[str, int | None, datetime]]:
    """Who followed links from the addresses of these events, and when."""
    visits: list[tuple[str, int | None, datetime]] = [
        (event.ip, event.delivery_id, event.occurred_at)
        for event in events
        if event.ip and event.kind is not EventKind.OPEN
    ]
    if visits:
        times = [at for _, _, at in visits]
        earlier = select(Event.ip, Event.delivery_id, Event.occurred_at).where(
            is_among(session, Event.ip, {ip for ip, _, _ in visits}),
            Event.occurred_at.between(min(times) - WITHIN, max(times) + WITHIN),
            Event.kind.in_((EventKind.CLICK, EventKind.TRAP)),
        )
        visits += [(ip, delivery_id, at) for ip, delivery_id, at in session.execute(earlier) if ip]
    return visits


def _keep(session: Session, mailing_id: int, kept: Sequence[Kept], crowds: Crowds) -> int:
    new: dict[Reader, list[Seen]] = defaultdict(list)
    for event, person in sorted(kept, key=lambda pair: pair[0].occurred_at):
        new[person.reader].append(_seen(event, person, crowds))
    seen = find_seen(session, new.keys())
    count = 0
    for reader, lines in new.items():
        if reader != NOBODY:
            del lines[max(MOST_OF_A_READER - len(seen[reader]), 0) :]
        count += len(lines)
        seen[reader] += lines
    settle(session, mailing_id, seen, {person.reader: person.posted for _, person in kept})
    return count


def _seen(event: Noted, person: Addressee, crowds: Crowds) -> Seen:
    return Seen(
        id=0,
        reader=person.reader,
        kind=event.kind,
        link_number=event.link_number,
        method=event.method,
        user_agent=event.user_agent,
        ip=event.ip if person.is_named else None,
        domain=person.domain,
        verdict=Verdict.PERSON,
        # What an address tells is kept where the address itself is not.
        reason=Reason.NETWORK.value if event.ip and is_scanners(event.ip) else "",
        occurred_at=event.occurred_at,
        source=event.id,
        is_crowded=crowds.holds(event.ip, event.occurred_at),
    )
