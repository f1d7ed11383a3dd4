"""HTTP with bounds: a request that takes too long to come, or whose head is beyond all measure, is cut off.

Whoever opens connections and says nothing, or a byte a minute, would otherwise hold them for ever.
"""

from __future__ import annotations

import asyncio
import math
import resource
from contextlib import suppress

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# From the first byte to the last, and for a new connection from its beginning.
REQUEST_SECONDS = 10.0
LOOK_SECONDS = 1.0
# No mail program or browser comes near it; servers before ours take less.
MAX_HEAD_BYTES = 65_536
MOST_CONNECTIONS = 65_536

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_COMPLETE = -1


class Protocol(HttpToolsProtocol):
    """One connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # How much of a head has come that has no end yet.
        self._head = 0
        self._due_at = self.loop.time() + REQUEST_SECONDS
        self._look_later()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._head != _COMPLETE:
            self._head += len(data)
            if self._head > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()

    def on_message_begin(self) -> None:
        self._head = 0
        self._due_at = self.loop.time() + REQUEST_SECONDS
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = _COMPLETE
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._due_at = math.inf
        super().on_message_complete()

    def _look_later(self) -> None:
        self._timer = self.loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        if self.loop.time() < self._due_at:
            self._look_later()
        else:
            self.transport.abort()


def allow_many_connections() -> None:
    """As many as the system lets this process have: the usual soft limit of 1,024 files is soon reached."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS if hard == resource.RLIM_INFINITY else min(hard, MOST_CONNECTIONS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
