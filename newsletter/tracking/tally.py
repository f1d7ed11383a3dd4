"""What rollups count: events one by one, and in each cell a reader once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from functools import lru_cache

from newsletter.models import EventKind, Facet, Verdict
from newsletter.tracking.clients import family
from newsletter.tracking.seen import NOBODY, Reader, Seen

# What is counted together: a kind and verdict under a key of a facet.
Cell = tuple[EventKind, Verdict, Facet, str]
Counts = tuple[int, int]
_TO_THE_HOUR = len("2026-03-13T07")
_KEPT = 50_000


class Tally:
    """Events and readers by cell; what is taken away counts negatively."""

    def __init__(self) -> None:
        self._events: dict[Cell, int] = defaultdict(int)
        self._readers: dict[Cell, int] = defaultdict(int)

    def add(self, reader: Reader, seen: Iterable[Seen], times: int = 1) -> None:
        """Count everything that is seen of a reader, or take it away (`times` is -1)."""
        found: set[Cell] = set()
        for one in seen:
            hour = one.occurred_at.isoformat()[:_TO_THE_HOUR]
            cells = _cells(one.kind, one.verdict, one.link_number, hour, one.domain, family(one.user_agent))
            found.update(cells)
            for cell in cells:
                self._events[cell] += times
        if reader != NOBODY:
            for cell in found:
                self._readers[cell] += times

    def counts(self) -> dict[Cell, Counts]:
        """Events and readers, of the cells where either is not 0."""
        both = {cell: (count, self._readers[cell]) for cell, count in self._events.items()}
        return {cell: counts for cell, counts in both.items() if any(counts)}


@lru_cache(_KEPT)
def _cells(
    kind: EventKind, verdict: Verdict, link_number: int | None, hour: str, domain: str, client: str
) -> tuple[Cell, ...]:
    """What an event counts in."""
    keys = ((Facet.ISSUE, ""), (Facet.HOUR, hour), (Facet.DOMAIN, domain), (Facet.CLIENT, client))
    link = () if link_number is None else ((Facet.LINK, str(link_number)),)
    return tuple((kind, verdict, facet, key) for facet, key in (*keys, *link))
