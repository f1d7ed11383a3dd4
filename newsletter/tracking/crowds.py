"""Addresses that serve many readers at once: scanners', for people at one address do not all click at once.

An office or a mobile network has many people behind one address too, but they come one after the other.
"""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address

CROWD = 12
WITHIN = timedelta(seconds=60)


class Crowds:
    """Which addresses served `CROWD` readers or more `WITHIN` a minute, and when.

    Made of visits: an address, whose message was touched, when. Addresses of private networks say nothing: they are
    those of whatever stands before the web application.
    """

    def __init__(self, visits: Iterable[tuple[str, Hashable, datetime]]) -> None:
        by_address: dict[str, list[tuple[datetime, Hashable]]] = defaultdict(list)
        for ip, reader, at in visits:
            by_address[ip].append((at, reader))
        self._times = {
            ip: times
            for ip, seen in by_address.items()
            if len(seen) >= CROWD and is_public(ip) and (times := _busy(seen))
        }

    def holds(self, ip: str | None, at: datetime) -> bool:
        """Whether an address served a crowd at that moment, or within a minute of it."""
        return any(since - WITHIN <= at <= until + WITHIN for since, until in self._times.get(ip or "", ()))


@lru_cache(10_000)
def is_public(ip: str) -> bool:
    """Whether an address is one of the Internet's (RFC 6890)."""
    try:
        return ip_address(ip).is_global
    except ValueError:
        return False


def _busy(seen: list[tuple[datetime, Hashable]]) -> list[tuple[datetime, datetime]]:
    """The spans of time at whose every end a crowd had come within the last minute."""
    spans: list[tuple[datetime, datetime]] = []
    window: deque[tuple[datetime, Hashable]] = deque()
    readers: Counter[Hashable] = Counter()
    for at, reader in sorted(seen, key=lambda visit: visit[0]):
        window.append((at, reader))
        readers[reader] += 1
        while at - window[0][0] > WITHIN:
            _, gone = window.popleft()
            readers[gone] -= 1
            if not readers[gone]:
                del readers[gone]
        if len(readers) >= CROWD:
            since = window[0][0]
            if spans and since <= spans[-1][1]:
                spans[-1] = (spans[-1][0], at)
            else:
                spans.append((since, at))
    return spans
