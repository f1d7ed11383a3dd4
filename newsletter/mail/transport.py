"""Hands messages to an SMTP server over several kept connections at once, driven by one thread."""

from __future__ import annotations

import selectors
import smtplib
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from newsletter.errors import UnavailableError
from newsletter.mail.connection import Connection
from newsletter.mail.courier import Courier, Features, Lost, Parcel
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.session import open_session
from newsletter.smtp_url import SmtpAccount

TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 1.0
CONNECTIONS = 8


class SmtpTransport:
    """Connections to one server, opened as they are needed and kept. Not for sharing between threads."""

    def __init__(self, account: SmtpAccount, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._account = account
        self._timeout = timeout_seconds
        self._limit = CONNECTIONS
        self._connections: dict[int, Connection] = {}
        self._sessions: dict[int, smtplib.SMTP] = {}
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Make sure of a connection. Raises UnavailableError when the server cannot be reached or will not talk."""
        if not self._connections:
            self._open(_Single())

    def send(self, envelope: Envelope) -> Outcome:
        """One message. A refusal is an outcome; raises UnavailableError without a connection."""
        courier = _Single(Parcel(0, envelope))
        self.run(courier)
        return courier.outcome

    def run(self, courier: Courier) -> None:
        """Carry every parcel the courier has; each taken one is settled once.

        Raises UnavailableError when no connection can be had: then nothing is under way, and what was taken but not
        settled was not sent.
        """
        queue = _Queue(courier)
        for connection in self._connections.values():
            connection.courier = queue
        try:
            self._carry(queue)
        except BaseException:
            for connection in list(self._connections.values()):
                if not connection.is_idle:
                    self._drop(connection)
            raise

    def close(self) -> None:
        """Say goodbye, if anyone still listens."""
        for connection in list(self._connections.values()):
            connection.link.settimeout(self._timeout)
            with suppress(OSError, smtplib.SMTPException):
                self._sessions[connection.slot].quit()
            self._drop(connection)

    def _carry(self, queue: _Queue) -> None:
        # Connections that the server closed while they were idle are noticed before anything is entrusted to them.
        self._turn(queue, 0)
        while True:
            for connection in list(self._connections.values()):
                self._attend(connection, queue, connection.go_on)
            is_busy = any(not connection.is_idle for connection in self._connections.values())
            has_more = queue.has_more()
            if not is_busy and not has_more:
                return
            if not is_busy:
                self._open(queue)
            else:
                may_grow = has_more and len(self._connections) < self._limit
                if not self._turn(queue, 0 if may_grow else POLL_SECONDS) and may_grow:
                    self._open_another(queue)

    def _turn(self, queue: _Queue, seconds: float) -> bool:
        """Act on what has come within some seconds; whether anything did."""
        events = self._selector.select(seconds)
        for key, mask in events:
            connection: Connection = key.data
            if mask & selectors.EVENT_WRITE:
                self._attend(connection, queue, connection.flush)
            if mask & selectors.EVENT_READ:
                self._attend(connection, queue, connection.receive)
        if not events:
            silent_since = time.monotonic() - self._timeout
            for connection in list(self._connections.values()):
                if not connection.is_idle and connection.active_at < silent_since:
                    self._lost(connection, queue, Lost(f"no answer within {self._timeout:g} seconds"))
        return bool(events)

    def _attend(self, connection: Connection, queue: _Queue, act: Callable[[], None]) -> None:
        if self._connections.get(connection.slot) is not connection:
            return
        try:
            act()
        except Lost as lost:
            self._lost(connection, queue, lost)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.unsent else 0)
        if self._selector.get_key(connection.link).events != wanted:
            self._selector.modify(connection.link, wanted, connection)

    def _lost(self, connection: Connection, queue: _Queue, lost: Lost) -> None:
        """Only between the end of the data and its reply is there doubt; everything else was not sent.

        What was not sent goes over another connection, unless it was the first thing this one was to carry: so there
        is progress in every new try, and a server that takes nothing is not asked forever.
        """
        current, ahead = connection.current, connection.ahead
        words = lost.reply or f"connection lost: {lost.reason}"
        if current and connection.is_doubtful:
            doubt = f"connection lost before the server confirmed the message: {lost.reply or lost.reason}"
            queue.settled(connection.slot, current.key, Outcome(Verdict.UNCERTAIN, doubt))
        elif current:
            queue.give_back(connection.slot, current, words, again=connection.is_kept)
        if ahead and connection.refusal:
            queue.settled(connection.slot, ahead.key, connection.refusal)
        elif ahead:
            queue.give_back(connection.slot, ahead, words, again=connection.is_kept or current is not None)
        self._drop(connection)

    def _open_another(self, queue: _Queue) -> None:
        try:
            self._open(queue)
        except UnavailableError:
            # The server has given as many as it will; those there are go on.
            self._limit = len(self._connections)

    def _open(self, queue: Courier) -> None:
        session = open_session(self._account, self._timeout)
        link = session.sock
        assert link is not None  # noqa: S101 - an open session has one
        slot = next(slot for slot in range(self._limit) if slot not in self._connections)
        link.setblocking(False)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        features = Features(*(session.has_extn(name) for name in ("pipelining", "smtputf8", "size")))
        connection = Connection(slot, link, features, queue)
        self._connections[slot], self._sessions[slot] = connection, session
        self._selector.register(link, selectors.EVENT_READ, connection)

    def _drop(self, connection: Connection) -> None:
        self._selector.unregister(connection.link)
        del self._connections[connection.slot]
        self._sessions.pop(connection.slot).close()


class _Queue:
    """A courier whose parcels may come back."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._returned: deque[Parcel] = deque()

    def has_more(self) -> bool:
        if not self._returned and (parcel := self._courier.next_parcel()):
            self._returned.append(parcel)
        return bool(self._returned)

    def next_parcel(self) -> Parcel | None:
        return self._returned.popleft() if self._returned else self._courier.next_parcel()

    def give_back(self, slot: int, parcel: Parcel, words: str, *, again: bool) -> None:
        """Take back a parcel that was not sent, to try it `again` on another connection or to put it off."""
        if again:
            self._returned.appendleft(parcel)
        else:
            self.settled(slot, parcel.key, Outcome(Verdict.DEFERRED, words))

    def leaving(self, slot: int, key: int) -> None:
        self._courier.leaving(slot, key)

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:
        self._courier.settled(slot, key, outcome)


class _Single:
    """The courier of one message, or of none."""

    def __init__(self, parcel: Parcel | None = None) -> None:
        self._parcel = parcel
        self.outcome = Outcome(Verdict.DEFERRED, "not tried")

    def next_parcel(self) -> Parcel | None:
        parcel, self._parcel = self._parcel, None
        return parcel

    def leaving(self, slot: int, key: int) -> None:
        """Nobody waits to hear it."""

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:  # noqa: ARG002
        self.outcome = outcome
