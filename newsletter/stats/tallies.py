"""What was counted as events came in, by who did it: the rollups of a mailing as reports read them."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.models import EventKind, Facet, Rollup


@dataclass(frozen=True, slots=True)
class Count:
    """How many different readers did something, and how often all of them together did it."""

    readers: int = 0
    events: int = 0


@dataclass(slots=True)
class Tally:
    """Who did something: people, proxies that fetch for them, machines that look at everything.

    A reader who was seen in two of these ways is counted in both, so that readers never add up across them.
    """

    person: Count = field(default_factory=Count)
    proxy: Count = field(default_factory=Count)
    machine: Count = field(default_factory=Count)


@dataclass(slots=True)
class Tallies:
    """What was counted under one key of a facet, by kind; traps are clicks on the link that no person sees."""

    opens: Tally = field(default_factory=Tally)
    clicks: Tally = field(default_factory=Tally)
    traps: Tally = field(default_factory=Tally)
    leaves: Tally = field(default_factory=Tally)


_KINDS = {
    EventKind.OPEN: "opens",
    EventKind.CLICK: "clicks",
    EventKind.TRAP: "traps",
    EventKind.UNSUBSCRIBE: "leaves",
}


def read_tallies(session: Session, mailing_id: int) -> dict[Facet, dict[str, Tallies]]:
    """All that was counted of a mailing, by facet and key; what was never seen is left out."""
    found: dict[Facet, dict[str, Tallies]] = {facet: {} for facet in Facet}
    for row in session.scalars(select(Rollup).where(Rollup.mailing_id == mailing_id)):
        tallies = found[row.facet].setdefault(row.key, Tallies())
        tally: Tally = getattr(tallies, _KINDS[row.kind])
        setattr(tally, row.verdict.value, Count(row.readers, row.events))
    return found
