"""Who did it: a person, a proxy that fetches for one, or a machine that looks at everything.

All that was seen of one reader's message is judged together, by what it says of itself and by how it goes about it.
Nothing is looked up and no clock is read, so that the same sightings always get the same verdicts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from newsletter.models import EventKind, Verdict
from newsletter.tracking.agents import is_scanners, proxy_of, scanner_of

# Nobody notices a message, opens it and follows a link in less.
PROMPT = timedelta(seconds=5)
# Nobody follows two links within the first, or so many within the second.
PAIR, PAIR_LINKS = timedelta(seconds=1), 2
BURST, FEWEST_LINKS, MANY_LINKS = timedelta(seconds=10), 3, 5
# Whoever follows a link this soon has, as a rule, been seen to open the message.
UNSEEN = timedelta(minutes=3)
# What comes this close to a machine's doings, from the same client, is its doing too.
VISIT = timedelta(seconds=60)


class Reason(StrEnum):
    """Why something is not a person's doing."""

    # Each tells of itself.
    TRAP = "trap"
    HEAD = "head"
    NO_AGENT = "no-agent"
    SCANNER = "scanner"
    PROXY = "proxy"
    # They rest on the address, which is not always kept.
    NETWORK = "network"
    CROWD = "crowd"
    # They rest on the time of delivery, which is not always known any more.
    PROMPT = "prompt"
    UNSEEN = "unseen"
    # They rest on what else was seen of the message.
    BURST = "burst"
    VISIT = "visit"


_OF_ADDRESS = (Reason.NETWORK, Reason.CROWD)


@dataclass(frozen=True, slots=True)
class Sighting:
    """One thing that was seen. `ip` is None where it is not kept; `before` is the reason it was once given.

    `is_crowded`: whether the address served many readers at that time (tracking.crowds).
    """

    kind: EventKind
    occurred_at: datetime
    user_agent: str
    method: str = "GET"
    ip: str | None = None
    link_number: int | None = None
    is_crowded: bool = False
    before: str = ""


Ruling = tuple[Verdict, str]
PERSON: Ruling = (Verdict.PERSON, "")


def judge(sightings: Sequence[Sighting], delivered_at: datetime | None, links: int) -> list[Ruling]:
    """A verdict and its reason (empty for a person) for each sighting of one reader's message, in their order.

    `links` is how many links the message has, `delivered_at` None where that is not known any more. What was judged
    by an address or a time of delivery that is gone since stays as it was judged.
    """
    reasons = [_own(sighting) or _kept(sighting, delivered_at) for sighting in sightings]
    order = sorted(range(len(sightings)), key=lambda place: sightings[place].occurred_at)
    clicks = [place for place in order if sightings[place].kind is not EventKind.OPEN]
    if delivered_at is not None:
        for place in clicks:
            if sightings[place].occurred_at - delivered_at < PROMPT:
                reasons[place] = reasons[place] or Reason.PROMPT
    for place in _bursts(sightings, clicks, links):
        reasons[place] = reasons[place] or Reason.BURST
    _spread(sightings, order, reasons)
    for place in list(_unseen(sightings, order, reasons, delivered_at)):
        reasons[place] = Reason.UNSEEN
    _spread(sightings, order, reasons)
    return [_ruling(sighting, reason) for sighting, reason in zip(sightings, reasons, strict=True)]


def _ruling(sighting: Sighting, reason: Reason | None) -> Ruling:
    if reason is not None:
        return Verdict.MACHINE, reason.value
    if sighting.kind is EventKind.OPEN and proxy_of(sighting.user_agent):
        return Verdict.PROXY, Reason.PROXY.value
    return PERSON


def _own(sighting: Sighting) -> Reason | None:
    """What a sighting says of itself."""
    agent = sighting.user_agent
    if sighting.kind is EventKind.TRAP:
        return Reason.TRAP
    if sighting.method == "HEAD":
        return Reason.HEAD
    if not agent.strip():
        return Reason.NO_AGENT
    if scanner_of(agent):
        return Reason.SCANNER
    if sighting.kind is EventKind.CLICK and proxy_of(agent):
        return Reason.PROXY
    if sighting.ip and is_scanners(sighting.ip):
        return Reason.NETWORK
    # Each of a proxy's addresses serves many, which is what it is for.
    if sighting.is_crowded and not proxy_of(agent):
        return Reason.CROWD
    return None


def _kept(sighting: Sighting, delivered_at: datetime | None) -> Reason | None:
    gone = (*(_OF_ADDRESS if sighting.ip is None else ()), *((Reason.PROMPT,) if delivered_at is None else ()))
    return Reason(sighting.before) if sighting.before in gone else None


def _bursts(sightings: Sequence[Sighting], clicks: Sequence[int], links: int) -> Iterator[int]:
    """The clicks among too many different links in too short a time."""
    yield from _crammed(sightings, clicks, PAIR, PAIR_LINKS)
    yield from _crammed(sightings, clicks, BURST, min(max(links, FEWEST_LINKS), MANY_LINKS))


def _crammed(sightings: Sequence[Sighting], clicks: Sequence[int], within: timedelta, enough: int) -> Iterator[int]:
    first = told = 0
    inside: dict[int | None, int] = defaultdict(int)
    for last, place in enumerate(clicks):
        inside[sightings[place].link_number] += 1
        while sightings[place].occurred_at - sightings[clicks[first]].occurred_at > within:
            left = sightings[clicks[first]].link_number
            inside[left] -= 1
            if not inside[left]:
                del inside[left]
            first += 1
        if len(inside) >= enough:
            yield from clicks[max(first, told) : last + 1]
            told = last + 1


def _unseen(
    sightings: Sequence[Sighting],
    order: Sequence[int],
    reasons: Sequence[Reason | None],
    delivered_at: datetime | None,
) -> Iterator[int]:
    """The clicks soon after delivery before which nobody, not even a proxy, had opened the message."""
    for place in order:
        sighting = sightings[place]
        if delivered_at is None:
            if reasons[place] is None and sighting.before == Reason.UNSEEN:
                yield place
            continue
        if reasons[place] is None and sighting.kind is EventKind.OPEN:
            return
        if reasons[place] is None and sighting.occurred_at - delivered_at < UNSEEN:
            yield place


def _spread(sightings: Sequence[Sighting], order: Sequence[int], reasons: list[Reason | None]) -> None:
    """What one client did within a minute of a machine's doings is of the same visit, and not what follows that."""
    known = list(reasons)
    for places in (order, order[::-1]):
        seen: dict[tuple[str, str | None], datetime] = {}
        for place in places:
            sighting = sightings[place]
            client = (sighting.user_agent, sighting.ip)
            if known[place] is not None:
                seen[client] = sighting.occurred_at
            elif client in seen and abs(sighting.occurred_at - seen[client]) < VISIT:
                reasons[place] = Reason.VISIT
