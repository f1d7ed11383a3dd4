"""Readers by the dozen over real HTTP, each of whom writes down what was answered and what was not."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from threading import Thread
from types import TracebackType
from typing import Self

from newsletter.models import EventKind
from newsletter.tracking.tokens import Tokens
from newsletter.web.track import PIXEL

HOST = "127.0.0.1"
READERS = 16
SECONDS_BETWEEN = 0.04
PATIENCE_SECONDS = 20.0
RETRY_SECONDS = 0.1
ONE_CLICK = b"List-Unsubscribe=One-Click"


@dataclass(frozen=True, slots=True)
class Visit:
    """What one reader does once, and no other: so its event can be told from all others."""

    kind: EventKind
    delivery_id: int
    link_number: int | None = None


@dataclass(slots=True)
class Diary:
    """What became of visits. One that was cut off may have been noted or not; a `refused` one was told so (503)."""

    answered: set[Visit] = field(default_factory=set)
    cut_off: set[Visit] = field(default_factory=set)
    refused: set[Visit] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)


def visits(deliveries: Iterable[int], links: Iterable[int], random: Random) -> list[Visit]:
    """Every recipient opens, follows each link and leaves, once each and in no order."""
    numbers = list(links)
    found = []
    for delivery_id in deliveries:
        found += [Visit(EventKind.OPEN, delivery_id), Visit(EventKind.UNSUBSCRIBE, delivery_id)]
        found += [Visit(EventKind.CLICK, delivery_id, number) for number in numbers]
    random.shuffle(found)
    return found


class Readers:
    """They visit until the `with` block ends, in a thread, each over one connection at a time."""

    def __init__(self, port: int, mailing_id: int, planned: list[Visit], tokens: Tokens) -> None:
        self.diary = Diary()
        self._port = port
        self._mailing_id = mailing_id
        self._planned: Iterator[Visit] = iter(planned)
        self._tokens = tokens
        self._is_over = False
        self._thread = Thread(target=lambda: asyncio.run(self._visit()))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over = True
        self._thread.join()

    async def _visit(self) -> None:
        await asyncio.gather(*(self._reader() for _ in range(READERS)))

    async def _reader(self) -> None:
        while not self._is_over:
            try:
                reader, writer = await asyncio.open_connection(HOST, self._port)
            except OSError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._go_on(reader, writer)
            writer.close()

    async def _go_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Visit after visit until the connection ends; the one that it ended in was cut off."""
        while not self._is_over:
            visit = next(self._planned, None)
            if visit is None:
                self._is_over = True
                return
            self.diary.cut_off.add(visit)
            writer.write(self._request(visit))
            async with asyncio.timeout(PATIENCE_SECONDS):
                status, head, body = await _answer(reader)
            self.diary.cut_off.discard(visit)
            self._write_down(visit, status, head, body)
            await asyncio.sleep(SECONDS_BETWEEN)

    def _request(self, visit: Visit) -> bytes:
        who = (self._mailing_id, visit.delivery_id)
        match visit.kind:
            case EventKind.OPEN:
                line, body = f"GET /o/{self._tokens.opens.seal(*who)}.gif", b""
            case EventKind.CLICK:
                line, body = f"GET /c/{self._tokens.clicks.seal(*who)}/{visit.link_number}", b""
            case _:
                line, body = f"POST /u/{self._tokens.unsubscribes.seal(*who)}", ONE_CLICK
        fields = f"Host: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}"
        return f"{line} HTTP/1.1\r\n{fields}\r\n\r\n".encode() + body

    def _write_down(self, visit: Visit, status: int, head: bytes, body: bytes) -> None:
        is_right = {
            EventKind.OPEN: status == http.client.OK and body == PIXEL,
            EventKind.CLICK: status == http.client.FOUND and b"\r\nlocation: http" in head.lower(),
            EventKind.UNSUBSCRIBE: status == http.client.OK and b"<h1>" in body,
        }
        if is_right[visit.kind]:
            self.diary.answered.add(visit)
        elif status == http.client.SERVICE_UNAVAILABLE:
            self.diary.refused.add(visit)
        else:
            self.diary.wrong.append(f"{visit}: {status} {body[:200]!r}")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(head.split(b" ", 2)[1]), head, await reader.readexactly(int(length))
