"""The stream between the tracking endpoint and SQL: events in Redis until SQL has them, many in one entry."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address

from redis import Redis

from newsletter.models import EventKind
from newsletter.tracking.asking import ask
from newsletter.tracking.losses import LOST, sum_up

STREAM = "newsletter:events"
# The one field of an entry: what came together, an event a line, below the name of the page they came on. A field an
# event would cost the server several times as much, and an entry an event ten times.
FIELD = "events"
MAX_TOGETHER = 64
MAX_USER_AGENT = 300
FLUSH_SIZE = 2000
_MAX_IP = 45
_SEPARATOR, _LINE_END = "\t", "\n"
_READ_AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class Noted:
    """An event as it waits in the buffer; `id` is its page's name and its place on it, `entry_id` is the stream's.

    A page that was sent twice, since nobody knew whether it had arrived, has two entries with the same events.
    `ip` is None where the request came with none that is an address.
    """

    id: str
    kind: EventKind
    mailing_id: int
    delivery_id: int
    link_number: int | None
    user_agent: str
    ip: str | None = None
    method: str = "GET"
    entry_id: str = ""

    @property
    def occurred_at(self) -> datetime:
        """By the server's clock: an entry's id is the milliseconds since 1970, and a counter."""
        return datetime.fromtimestamp(int((self.entry_id or self.id).partition("-")[0]) / 1000, UTC)


def entry(
    kind: EventKind,
    mailing_id: int,
    delivery_id: int,
    link_number: int | None,
    user_agent: str,
    ip: str = "",
    method: str = "GET",
) -> bytes:
    """An event as the stream keeps it, in one line. The user agent stands last: whatever it holds is its own."""
    link = "" if link_number is None else link_number
    agent = user_agent[:MAX_USER_AGENT].replace(_LINE_END, " ")
    return f"{kind}\t{mailing_id}\t{delivery_id}\t{link}\t{method}\t{ip[:_MAX_IP]}\t{agent}".encode()


def bundle(name: str, entries: Sequence[bytes]) -> bytes:
    """What one entry of the stream holds: up to MAX_TOGETHER events, under a name that no other page has."""
    return b"\n".join((name.encode("ascii"), *entries))


class EventBuffer:
    """The stream, as those see it who may wait for its server. Its methods raise UnavailableError when it is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def oldest(self, limit: int = FLUSH_SIZE) -> list[Noted]:
        """The events that have waited longest: `limit` or hardly more, for those of one entry are not parted.

        No two have the same id: what was kept twice comes again once the first is dropped.
        """
        events: dict[str, Noted] = {}
        after = "-"
        while len(events) < limit:
            entries = ask(self._redis, "xrange", STREAM, min=after, count=_READ_AT_A_TIME)
            for entry_id, values in entries:
                if len(events) < limit:
                    for event in _noted(entry_id.decode(), values[FIELD.encode()]):
                        events.setdefault(event.id, event)
            if len(entries) < _READ_AT_A_TIME:
                break
            after = f"({entries[-1][0].decode()}"
        return list(events.values())

    def drop(self, events: Sequence[Noted]) -> None:
        """Forget events that SQL has, as `oldest` gave them."""
        if events:
            ask(self._redis, "xdel", STREAM, *{event.entry_id for event in events})

    def lost(self) -> Counter[int]:
        """How many events of each mailing, at most, were answered and not kept since the buffer was away."""
        return sum_up(ask(self._redis, "hgetall", LOST).items())

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()


def _noted(entry_id: str, value: bytes) -> list[Noted]:
    name, *lines = value.decode("utf-8", "replace").split(_LINE_END)
    return [_event(f"{name}.{place}", entry_id, line) for place, line in enumerate(lines)]


def _event(event_id: str, entry_id: str, line: str) -> Noted:
    kind, mailing_id, delivery_id, link, method, ip, user_agent = line.split(_SEPARATOR, 6)
    return Noted(
        id=event_id,
        kind=EventKind(kind),
        mailing_id=int(mailing_id),
        delivery_id=int(delivery_id),
        link_number=int(link) if link else None,
        # PostgreSQL has no text with such a character in it.
        user_agent=user_agent.replace("\0", ""),
        ip=_address(ip),
        method=method,
        entry_id=entry_id,
    )


def _address(text: str) -> str | None:
    try:
        return str(ip_address(text))
    except ValueError:
        return None
