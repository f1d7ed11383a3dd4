"""What rollups count: events one by one, and in each cell a reader once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from newsletter.models import EventKind, Facet, Verdict
from newsletter.tracking.clients import family
from newsletter.tracking.seen import NOBODY, Reader, Seen

# What is counted together: a kind and verdict under a key of a facet.
Cell = tuple[EventKind, Verdict, Facet, str]
Counts = tuple[int, int]
_TO_THE_HOUR = len("2026-03-13T07")


class Tally:
    """Events and readers by cell; what is taken away counts negatively."""

    def __init__(self) -> None:
        self._events: Counter[Cell] = Counter()
        self._readers: Counter[Cell] = Counter()

    def add(self, reader: Reader, seen: Iterable[Seen], times: int = 1) -> None:
        """Count everything that is seen of a reader, or take it away (`times` is -1)."""
        found = Counter(cell for one in seen for cell in _cells(one))
        for cell, count in found.items():
            self._events[cell] += times * count
            if reader != NOBODY:
                self._readers[cell] += times

    def counts(self) -> dict[Cell, Counts]:
        """Events and readers, of the cells where either is not 0."""
        both = {cell: (count, self._readers[cell]) for cell, count in self._events.items()}
        return {cell: counts for cell, counts in both.items() if any(counts)}


def _cells(seen: Seen) -> Iterator[Cell]:
    kind, verdict = seen.kind, seen.verdict
    yield kind, verdict, Facet.ISSUE, ""
    if seen.link_number is not None:
        yield kind, verdict, Facet.LINK, str(seen.link_number)
    yield kind, verdict, Facet.HOUR, seen.occurred_at.isoformat()[:_TO_THE_HOUR]
    yield kind, verdict, Facet.DOMAIN, seen.domain
    yield kind, verdict, Facet.CLIENT, family(seen.user_agent)
