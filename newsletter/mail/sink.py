"""The sink of dry runs: an SMTP server in a thread that takes every message at the lowest cost and keeps none."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE
from threading import Thread
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
BACKLOG = 128
RECEIVE_BYTES = 65_536

_GREETING, _OK, _UNKNOWN = b"220 sink\r\n", b"250 ok\r\n", b"500 not known here\r\n"
_REPLIES = {
    # SMTPUTF8 is offered beside 8BITMIME only (RFC 6531 section 3.1).
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
    **dict.fromkeys((b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP"), _OK),
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}
_LINE_END, _LONE_DOT = b"\r\n", b"\r\n.\r\n"


class Sink:
    """Listens on a free port of this machine while it is entered.

    `messages` and `bytes` count what it took, each message as it came over the wire without its lone dot.
    """

    host = HOST

    def __init__(self) -> None:
        self.port = 0
        self.messages = 0
        self.bytes = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server((HOST, 0), backlog=BACKLOG)
        self._listener.setblocking(False)
        self.port = self._listener.getsockname()[1]
        self._stop, self._stopped = socket.socketpair()
        self._thread = Thread(target=self._serve, name="sink", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.close()
        self._thread.join()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector, self._listener, self._stopped:
            selector.register(self._stopped, EVENT_READ)
            selector.register(self._listener, EVENT_READ)
            while self._turn(selector):
                pass
            for key in selector.get_map().values():
                if isinstance(key.data, _Client):
                    key.data.link.close()

    def _turn(self, selector: selectors.BaseSelector) -> bool:
        """Act on what has come; whether to go on."""
        for key, _ in selector.select():
            if key.fileobj is self._stopped:
                return False
            if isinstance(key.data, _Client):
                _attend(selector, key, key.data)
            else:
                self._accept(selector)
        return True

    def _accept(self, selector: selectors.BaseSelector) -> None:
        with suppress(OSError):
            link, _ = self._listener.accept()
            link.setblocking(False)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(link, EVENT_WRITE, _Client(link, self._take))

    def _take(self, size: int) -> None:
        self.messages += 1
        self.bytes += size


def _attend(selector: selectors.BaseSelector, key: selectors.SelectorKey, client: _Client) -> None:
    try:
        events = client.go_on()
    except OSError:
        events = 0
    if not events:
        selector.unregister(client.link)
        client.link.close()
    elif events != key.events:
        selector.modify(client.link, events, client)


class _Client:
    """One who sends. What it is to be told goes out before anything more is read from it."""

    def __init__(self, link: socket.socket, take: Callable[[int], None]) -> None:
        self.link = link
        self._take = take
        self._unsent = _GREETING
        # What has come and is no whole line yet, or may be the beginning of a lone dot.
        self._rest = b""
        self._in_data = False
        self._size = 0
        self._is_leaving = False

    def go_on(self) -> int:
        """Read and write what is there to be; the events to wait for next, 0 when it is over."""
        with suppress(BlockingIOError):
            if not self._unsent:
                received = self.link.recv(RECEIVE_BYTES)
                if not received:
                    return 0
                self._unsent = self._replies_to(self._rest + received)
            if self._unsent:
                self._unsent = self._unsent[self.link.send(self._unsent) :]
        if self._unsent:
            return EVENT_WRITE
        return 0 if self._is_leaving else EVENT_READ

    def _replies_to(self, received: bytes) -> bytes:
        replies: list[bytes] = []
        at = 0
        while not self._is_leaving and (end := received.find(_LONE_DOT if self._in_data else _LINE_END, at)) >= 0:
            if self._in_data:
                self._in_data = False
                self._take(self._size + end - at)
                replies.append(_OK)
                at = end + len(_LONE_DOT)
            else:
                verb = received[at : min(at + 4, end)].upper()
                replies.append(_REPLIES.get(verb, _UNKNOWN))
                self._in_data = verb == b"DATA"
                self._is_leaving = verb == b"QUIT"
                self._size = 0
                # The line end before a message is where its lone dot may begin.
                at = end if self._in_data else end + len(_LINE_END)
        kept = max(at, len(received) - len(_LONE_DOT) + 1) if self._in_data else at
        self._size += kept - at
        self._rest = received[kept:]
        return b"".join(replies)
