"""Events kept before their readers are answered: all that came in one turn of the loop in one round trip."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from newsletter.tracking.buffer import FIELD, LOST, MAX_TOGETHER, STREAM
from newsletter.tracking.resp import Connection, Connector, bulk, command, head_of

# Readers wait so long for the buffer and no longer; while it is known to be away, hardly at all.
PATIENCE_SECONDS = 1.0
AWAY_PATIENCE_SECONDS = 0.2
RETRY_SECONDS = 0.05
TELL_SECONDS = 60.0
# Turns of the loop in which a page waits for others that come at the same time: they share its round trip.
GATHERING_TURNS = 4

_XADD = head_of("XADD", STREAM, "*", FIELD, followed_by=1)

log = structlog.get_logger()


@dataclass(slots=True)
class _Page:
    """What one round trip carries: entries and their mailings. `kept` is what all who wrote on it wait for."""

    kept: asyncio.Future[bool]
    entries: list[bytes] = field(default_factory=list)
    mailings: list[int] = field(default_factory=list)


class Notebook:
    """Notes events in the buffer over one connection. It belongs to the event loop that it is first used in.

    What was kept is as safe as the server makes what it answers for: on its disk, where it syncs always. What was not
    is counted in `lost`, by mailing, told in the log and, once the server is back, in the server's own count. An
    event counts as lost too where the server went away between keeping it and saying so: the count is the most that
    can be missing.
    """

    def __init__(self, connect: Connector) -> None:
        self.lost: Counter[int] = Counter()
        self._connect = connect
        self._page: _Page | None = None
        self._writer: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._is_away = False
        self._untold: Counter[int] = Counter()
        self._unlogged = 0
        self._logs_at = 0.0

    def note(self, mailing_id: int, entry: bytes) -> asyncio.Future[bool]:
        """Keep an event of a mailing; whether it was kept. Whoever waits for it no longer must not cancel it."""
        page = self._page
        if page is None:
            page = self._page = _Page(asyncio.get_running_loop().create_future())
            if self._writer is None:
                self._writer = asyncio.create_task(self._write())
        page.entries.append(entry)
        page.mailings.append(mailing_id)
        return page.kept

    async def close(self) -> None:
        """Keep what waits, tell what was lost, and hang up."""
        if self._writer is not None:
            await self._writer
        with suppress(OSError):
            async with asyncio.timeout(AWAY_PATIENCE_SECONDS):
                if self._untold:
                    await self._send(await self._connected(), [])
        self._hang_up()
        # The loop closes the socket in its next turn, and may have no other.
        await asyncio.sleep(0)

    async def _write(self) -> None:
        """Page after page, until nobody waits."""
        while (page := self._page) is not None:
            for _ in range(GATHERING_TURNS):
                await asyncio.sleep(0)
            self._page = None
            trouble = await self._keep(page.entries)
            if trouble:
                self._lose(page.mailings, trouble)
            if not page.kept.cancelled():
                page.kept.set_result(not trouble)
        self._writer = None

    async def _keep(self, entries: list[bytes]) -> str:
        """Why the entries may not have been kept; nothing where they were."""
        patience = AWAY_PATIENCE_SECONDS if self._is_away else PATIENCE_SECONDS
        try:
            async with asyncio.timeout(patience):
                errors = await self._send(await self._connected(), entries)
        except OSError as error:
            # A server that hung up may be back in a moment, and the next page waits for it.
            self._is_away = self._connection is None or isinstance(error, TimeoutError)
            self._hang_up()
            return str(error) or f"no answer within {patience:g} s"
        self._is_away = False
        return errors[0] if errors else ""

    async def _connected(self) -> Connection:
        while self._connection is None or self._connection.is_closed:
            self._connection = None
            try:
                self._connection = await self._connect()
            except OSError:
                if self._is_away:
                    raise
                await asyncio.sleep(RETRY_SECONDS)
        return self._connection

    async def _send(self, connection: Connection, entries: list[bytes]) -> list[str]:
        untold = self._untold.copy()
        commands = [command("HINCRBY", LOST, mailing_id, count) for mailing_id, count in untold.items()]
        commands += [
            _XADD + bulk(b"\n".join(entries[first : first + MAX_TOGETHER]))
            for first in range(0, len(entries), MAX_TOGETHER)
        ]
        errors = await connection.ask(b"".join(commands), len(commands))
        if not errors:
            self._untold -= untold
        return errors

    def _lose(self, mailings: list[int], reason: str) -> None:
        self.lost.update(mailings)
        self._untold.update(mailings)
        self._unlogged += len(mailings)
        if time.monotonic() >= self._logs_at:
            log.warning("events lost", events=self._unlogged, mailings=sorted(set(mailings)), reason=reason)
            self._unlogged = 0
            self._logs_at = time.monotonic() + TELL_SECONDS

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
