"""Many small commands in one round trip, in the Redis protocol (RESP 2, https://valkey.io/topics/protocol/).

A general client takes 20 us of CPU for a command and its reply; a page of bytes takes one or two.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import ConnectionPool, SSLConnection

DEFAULT_PORT = 6379
_END = b"\r\n"
_BULK, _ERROR = b"$-"


def command(*words: str | int | bytes) -> bytes:
    """One command with its arguments."""
    return head_of(*words, followed_by=0)


def head_of(*words: str | int | bytes, followed_by: int) -> bytes:
    """A command that lacks its last arguments, so many; each is added with `bulk`."""
    return b"*%d\r\n" % (len(words) + followed_by) + b"".join(
        bulk(word if isinstance(word, bytes) else str(word).encode()) for word in words
    )


def bulk(word: bytes) -> bytes:
    """One argument."""
    return b"$%d\r\n%b\r\n" % (len(word), word)


class Connection(asyncio.Protocol):
    """One connection, which carries one pipeline at a time."""

    def __init__(self) -> None:
        self.is_closed = False
        self._transport: asyncio.Transport
        self._answer: asyncio.Future[list[str]] | None = None
        self._due = 0
        self._errors: list[str] = []
        self._unread = b""

    async def ask(self, commands: bytes, count: int) -> list[str]:
        """Send `count` commands and wait for as many replies; those that are errors, in the server's words.

        Replies may be anything but arrays. Raises ConnectionError when the server goes away.
        """
        if self.is_closed:
            raise ConnectionError("the connection is closed")
        self._due, self._errors = count, []
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(commands)
        return await self._answer

    def close(self) -> None:
        """Hang up at once, whatever is under way."""
        self.is_closed = True
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        data = self._unread + data
        begin = 0
        while self._due and (end := data.find(_END, begin)) >= 0:
            following = end + 2
            if data[begin] == _BULK and (length := int(data[begin + 1 : end])) >= 0:
                following += length + 2
                if following > len(data):
                    break
            elif data[begin] == _ERROR:
                self._errors.append(data[begin + 1 : end].decode("utf-8", "replace"))
            begin = following
            self._due -= 1
        self._unread = data[begin:]
        if not self._due and self._answer is not None and not self._answer.done():
            self._answer.set_result(self._errors)

    def connection_lost(self, error: Exception | None) -> None:
        self.is_closed = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError(str(error or "the server hung up")))


Connector = Callable[[], Awaitable[Connection]]


def connector(url: str) -> Connector:
    """What opens a connection to a broker's URL: `redis://`, `rediss://` or `redis+socket://`.

    It is ready then: logged in, in its database, its data loaded. Raises ConnectionError, or another OSError, where
    the server is not.
    """
    parts = urlsplit(url)
    opening = _opening(parts.username, parts.password, _database(url))
    if parts.scheme == "redis+socket":
        place: dict[str, Any] = {"path": parts.path}
    else:
        place = {"host": parts.hostname, "port": parts.port or DEFAULT_PORT, "ssl": _tls(url)}

    async def connect() -> Connection:
        loop = asyncio.get_running_loop()
        create: Any = loop.create_unix_connection if "path" in place else loop.create_connection
        _, connection = await create(Connection, **place)
        try:
            errors = await connection.ask(b"".join(opening), len(opening))
            if errors:
                raise ConnectionError(errors[0])
        except BaseException:
            connection.close()
            raise
        return connection  # type: ignore[no-any-return]

    return connect


def _opening(user: str | None, password: str | None, database: str) -> list[bytes]:
    login = [unquote(word) for word in (user, password) if word]
    # A server that still loads its data refuses a PING.
    return [*([command("AUTH", *login)] if password else []), command("SELECT", database), command("PING")]


def _database(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "redis+socket":
        return parse_qs(parts.query).get("virtual_host", ["0"])[0]
    return parts.path.strip("/") or "0"


def _tls(url: str) -> ssl.SSLContext | None:
    """As the other clients of the same URL do it, whose options stand in its query."""
    pool: Any = ConnectionPool.from_url(url)
    sample = pool.make_connection()
    return sample.ssl_context.get() if isinstance(sample, SSLConnection) else None
