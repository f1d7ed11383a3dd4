"""Events kept before their readers are answered: all that came in one turn of the loop in one round trip."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from secrets import token_hex

import structlog

from newsletter.tracking.buffer import FIELD, MAX_TOGETHER, STREAM, bundle
from newsletter.tracking.losses import LOST, Losses
from newsletter.tracking.resp import Connection, Connector, bulk, command, head_of

# Readers wait so long for the buffer and no longer; while it is known to be away, hardly at all.
PATIENCE_SECONDS = 1.0
AWAY_PATIENCE_SECONDS = 0.2
RETRY_SECONDS = 0.05
TELL_SECONDS = 1.0
LOG_SECONDS = 60.0
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

    What was kept is as safe as the server makes what it answers for: on its disk, where it syncs always. What had
    left when the server went away is sent again, under its name, by which it is taken once. What was not kept in
    time is lost: counted, told in the log and, once the server is back, to the server. An event counts as lost too
    where the server kept it and did not say so in time: the count is the most that can be missing.
    """

    def __init__(self, connect: Connector, losses: Losses) -> None:
        self.losses = losses
        self._connect = connect
        self._name = token_hex(8)
        self._pages = 0
        self._page: _Page | None = None
        self._writer: asyncio.Task[None] | None = None
        self._teller: asyncio.Task[None] | None = None
        self._connection: Connection | None = None
        self._is_away = False
        self._unlogged = 0
        self._logs_at = 0.0

    def open(self) -> None:
        """Begin with what those before us had no time to tell."""
        self._tell_soon()

    def note(self, mailing_id: int, entry: bytes) -> asyncio.Future[bool]:
        """Keep an event of a mailing; whether it was kept. Whoever waits for it no longer must not cancel it."""
        page = self._open_page()
        page.entries.append(entry)
        page.mailings.append(mailing_id)
        return page.kept

    async def close(self) -> None:
        """Keep what waits, tell what was lost, and hang up."""
        if self._teller is not None:
            self._teller.cancel()
        if self._writer is not None:
            await self._writer
        if not self.losses.are_told:
            await self._keep([])
        self._hang_up()
        self.losses.close()
        # The loop closes the socket in its next turn, and may have no other.
        await asyncio.sleep(0)

    def _open_page(self) -> _Page:
        if self._page is None:
            self._page = _Page(asyncio.get_running_loop().create_future())
            if self._writer is None:
                self._writer = asyncio.create_task(self._write())
        return self._page

    async def _write(self) -> None:
        """Page after page, until nobody waits."""
        while (page := self._page) is not None:
            for _ in range(GATHERING_TURNS):
                await asyncio.sleep(0)
            self._page = None
            trouble = await self._keep(page.entries)
            if trouble and page.mailings:
                self._lose(page.mailings, trouble)
            if not page.kept.cancelled():
                page.kept.set_result(not trouble)
        self._writer = None

    async def _keep(self, entries: list[bytes]) -> str:
        """Why the entries may not have been kept; nothing where they were."""
        patience = AWAY_PATIENCE_SECONDS if self._is_away else PATIENCE_SECONDS
        commands = [self._adding(entries[at : at + MAX_TOGETHER]) for at in range(0, len(entries), MAX_TOGETHER)]
        try:
            async with asyncio.timeout(patience):
                errors = await self._send(commands)
        except OSError as error:
            self._is_away = True
            self._hang_up()
            return str(error) or f"no answer within {patience:g} s"
        self._is_away = False
        return errors[0] if errors else ""

    def _adding(self, entries: list[bytes]) -> bytes:
        self._pages += 1
        return _XADD + bulk(bundle(f"{self._name}-{self._pages}", entries))

    async def _send(self, commands: list[bytes]) -> list[str]:
        """Send until the server has answered to all of it. One that is known to be away is asked once."""
        while True:
            try:
                return await self._ask(commands)
            except OSError:
                self._hang_up()
                if self._is_away:
                    raise
                await asyncio.sleep(RETRY_SECONDS)

    async def _ask(self, commands: list[bytes]) -> list[str]:
        totals = self.losses.totals()
        telling = [command("HSET", LOST, name, total) for name, total in totals.items()]
        if not telling and not commands:
            return []
        if self._connection is None or self._connection.is_closed:
            self._connection = await self._connect()
        errors = await self._connection.ask(b"".join(telling + commands), len(telling) + len(commands))
        if totals and not errors:
            self.losses.told()
        return errors

    def _lose(self, mailings: list[int], reason: str) -> None:
        self.losses.add(mailings)
        self._unlogged += len(mailings)
        if time.monotonic() >= self._logs_at:
            log.warning("events lost", events=self._unlogged, mailings=sorted(set(mailings)), reason=reason)
            self._unlogged = 0
            self._logs_at = time.monotonic() + LOG_SECONDS
        self._tell_soon()

    def _tell_soon(self) -> None:
        if self._teller is None and not self.losses.are_told:
            self._teller = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        """Tell what was lost once the server is back, whether a reader comes or not."""
        while not self.losses.are_told:
            await asyncio.sleep(TELL_SECONDS)
            await asyncio.shield(self._open_page().kept)
        self._teller = None

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
