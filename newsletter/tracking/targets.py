"""Where links lead, kept beside the events: clicks are answered while SQL is away."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from urllib.parse import quote

from redis import Redis

from newsletter.errors import UnavailableError
from newsletter.tracking.asking import ask

KEPT_MAILINGS = 1000
# A corrected link is followed by every process this much later.
FRESH_SECONDS = 2.0

# What stays as it is in a Location field: an address is written down already, only other scripts are not ASCII.
_SAFE = ":/%#?=@[]!$&'()*+,;~"

Targets = Mapping[int, str]
_Locations = Mapping[int, bytes]


class TargetStore:
    """The links of mailings in Redis, whence every process has them. SQL has them for good."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def fill(self, mailing_id: int, targets: Targets) -> None:
        """Keep the targets that are not kept yet. Raises UnavailableError."""
        self._write(mailing_id, targets, {})

    def correct(self, mailing_id: int, number: int, targets: Targets) -> None:
        """Keep the new target of one link, and those of the others that are not kept yet. Raises UnavailableError."""
        self._write(mailing_id, targets, {number: targets[number]})

    def load(self, mailing_id: int) -> dict[int, str]:
        """The targets of a mailing by their numbers; nothing for one that is not kept. Raises UnavailableError."""
        kept = ask(self._redis, "hgetall", _key(mailing_id))
        return {int(number): url.decode() for number, url in kept.items()}

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()

    def _write(self, mailing_id: int, targets: Targets, corrected: Targets) -> None:
        # All or none: a mailing that is kept is kept whole. Who fills from an older look at SQL corrects nothing.
        pipeline = self._redis.pipeline(transaction=True)
        for number, url in corrected.items():
            pipeline.hset(_key(mailing_id), str(number), url)
        for number, url in targets.items():
            pipeline.hsetnx(_key(mailing_id), str(number), url)
        ask(pipeline, "execute")


class TargetCache:
    """The targets as one process remembers them, a little while; longer where neither Redis nor SQL answers."""

    def __init__(self, store: TargetStore, from_sql: Callable[[int], dict[int, str]]) -> None:
        self._store = store
        self._from_sql = from_sql
        self._known: dict[int, tuple[float, _Locations]] = {}
        self._asking: dict[int, asyncio.Task[_Locations]] = {}

    async def find(self, mailing_id: int, number: int) -> bytes | None:
        """Where a link leads, as a Location field has it; None for one that the mailing has not.

        Raises UnavailableError where this process knows nothing of the mailing and nobody answers.
        """
        known = self._known.get(mailing_id)
        if known is None:
            return (await asyncio.shield(self._ask(mailing_id))).get(number)
        fresh_until, locations = known
        if time.monotonic() >= fresh_until:
            # This reader is not made to wait for it, nor told if it fails.
            self._ask(mailing_id).add_done_callback(lambda task: task.cancelled() or task.exception())
        return locations.get(number)

    def _ask(self, mailing_id: int) -> asyncio.Task[_Locations]:
        """One at a time for a mailing, however many readers come."""
        task = self._asking.get(mailing_id)
        if task is None:
            task = self._asking[mailing_id] = asyncio.create_task(self._remember(mailing_id))
            task.add_done_callback(lambda _: self._asking.pop(mailing_id, None))
        return task

    async def _remember(self, mailing_id: int) -> _Locations:
        targets = await asyncio.to_thread(self._load, mailing_id)
        locations = {number: quote(url, safe=_SAFE).encode("ascii") for number, url in targets.items()}
        self._known.pop(mailing_id, None)
        while len(self._known) >= KEPT_MAILINGS:
            del self._known[next(iter(self._known))]
        self._known[mailing_id] = (time.monotonic() + FRESH_SECONDS, locations)
        return locations

    def _load(self, mailing_id: int) -> Targets:
        with suppress(UnavailableError):
            if kept := self._store.load(mailing_id):
                return kept
        targets = self._from_sql(mailing_id)
        with suppress(UnavailableError):
            self._store.fill(mailing_id, targets)
        return targets


def _key(mailing_id: int) -> str:
    return f"newsletter:links:{mailing_id}"
