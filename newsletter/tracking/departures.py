"""Readers who leave while SQL is away: kept beside the events, and off their list before any mail is claimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis

from newsletter.tracking.asking import ask
from newsletter.tracking.buffer import MAX_USER_AGENT
from newsletter.tracking.tokens import Target

STREAM = "newsletter:departures"
AT_A_TIME = 100


@dataclass(frozen=True, slots=True)
class Departure:
    """The reader of a message wishes to leave its list; `id` is the stream's, `ip` is None where none is known."""

    id: str
    target: Target
    user_agent: str
    ip: str | None

    @property
    def left_at(self) -> datetime:
        return datetime.fromtimestamp(int(self.id.partition("-")[0]) / 1000, UTC)


class Departures:
    """Those who wait for SQL. Its methods raise UnavailableError when the server is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def keep(self, target: Target, user_agent: str, ip: str | None) -> None:
        """Keep a reader's wish as safe as the server makes what it answers for."""
        wish = {
            "mailing": target.mailing_id,
            "delivery": target.delivery_id,
            "agent": user_agent[:MAX_USER_AGENT],
            "ip": ip or "",
        }
        ask(self._redis, "xadd", STREAM, wish)

    def waiting(self) -> list[Departure]:
        """Those who have waited longest, up to AT_A_TIME."""
        return [_departure(entry_id, wish) for entry_id, wish in ask(self._redis, "xrange", STREAM, count=AT_A_TIME)]

    def drop(self, departures: Sequence[Departure]) -> None:
        """Forget those whom SQL has taken off."""
        if departures:
            ask(self._redis, "xdel", STREAM, *(departure.id for departure in departures))

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()


def _departure(entry_id: bytes, wish: dict[bytes, bytes]) -> Departure:
    return Departure(
        id=entry_id.decode(),
        target=Target(int(wish[b"mailing"]), int(wish[b"delivery"])),
        user_agent=wish[b"agent"].decode("utf-8", "replace"),
        ip=wish[b"ip"].decode() or None,
    )
