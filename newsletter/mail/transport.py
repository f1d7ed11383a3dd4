"""Hands messages to an SMTP server over several kept connections at once, driven by one thread."""

from __future__ import annotations

import selectors
import smtplib
import time
from concurrent.futures import Future
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Self

from newsletter.errors import NewsletterError
from newsletter.mail.connection import Connection
from newsletter.mail.courier import Courier, Lost, Parcel, Queue, Single
from newsletter.mail.growth import WEIGH_SECONDS, Growth
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.session import open_in_background, open_session
from newsletter.smtp_url import SmtpAccount

TIMEOUT_SECONDS = 60.0
# Their worth is in hiding a distance: 48 in each of two processes hide 20 ms.
CONNECTIONS = 48
# How often connections are looked at for silence, while they may be silent for as long as the timeout.
LOOKS = 10


class SmtpTransport:
    """Up to so many connections to a server, opened as they are needed and kept. Not for sharing between threads."""

    def __init__(
        self, account: SmtpAccount, timeout_seconds: float = TIMEOUT_SECONDS, connections: int = CONNECTIONS
    ) -> None:
        self._account = account
        self._timeout = timeout_seconds
        self._growth = Growth(connections)
        self._looks_at = 0.0
        # A further session on its way; opening it keeps those there are waiting for nothing.
        self._opening: Future[smtplib.SMTP] | None = None
        self._connections: dict[int, Connection] = {}
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
            self._open(Queue(Single()))

    def send(self, envelope: Envelope) -> Outcome:
        """One message. A refusal is an outcome; raises UnavailableError without a connection."""
        courier = Single(Parcel(0, envelope))
        self.run(courier)
        return courier.outcome

    def run(self, courier: Courier) -> None:
        """Carry every parcel until the courier has none; each taken one is settled once.

        Raises UnavailableError when no connection can be had: then nothing is under way, and what was taken but not
        settled was not sent.
        """
        queue = Queue(courier)
        for connection in self._connections.values():
            connection.queue, connection.is_kept = queue, True
        try:
            self._carry(queue)
        except BaseException:
            for connection in list(self._connections.values()):
                if not connection.is_idle:
                    self._drop(connection)
            raise

    def close(self) -> None:
        """Say goodbye, if anyone still listens."""
        if self._opening:
            self._opening.add_done_callback(_close_unused)
            self._opening = None
        give_up_at = time.monotonic() + self._timeout
        for connection in list(self._connections.values()):
            connection.link.settimeout(max(give_up_at - time.monotonic(), 0))
            with suppress(OSError, smtplib.SMTPException):
                connection.session.quit()
            self._drop(connection)

    def _carry(self, queue: Queue) -> None:
        self._adopt(queue)
        # Connections that the server closed while they were idle are noticed before anything is entrusted to them.
        self._turn(queue, 0)
        self._employ(queue)
        while True:
            if any(not connection.is_idle for connection in self._connections.values()):
                self._go_on(queue)
            elif queue.has_more():
                self._open(queue)
            else:
                return
            if self._adopt(queue) or queue.is_waiting:
                self._employ(queue)

    def _employ(self, queue: Queue) -> None:
        """Put idle connections to work."""
        for connection in list(self._connections.values()):
            try:
                connection.go_on()
            except Lost as lost:
                self._lost(connection, queue, lost)
            else:
                self._watch(connection)

    def _go_on(self, queue: Queue) -> None:
        """A turn; another connection where this thread waits for the server too much, with parcels waiting."""
        may_grow = queue.may_have_more and self._growth.is_possible(len(self._connections), time.monotonic())
        now = self._turn(queue, WEIGH_SECONDS if may_grow or self._opening else self._timeout / LOOKS)
        if may_grow and not self._opening and self._growth.is_due(len(self._connections), now) and queue.has_more():
            self._opening = open_in_background(self._account, self._timeout)

    def _turn(self, queue: Queue, seconds: float) -> float:
        """Act on what has come within some seconds; when that was."""
        asked_at = time.monotonic()
        events = self._selector.select(seconds)
        now = time.monotonic()
        self._growth.note(now - asked_at, len(events))
        for key, mask in events:
            connection: Connection = key.data
            try:
                # A last word is read even where nothing can be said any more.
                if mask & selectors.EVENT_READ:
                    connection.receive()
                if mask & selectors.EVENT_WRITE:
                    connection.flush()
            except Lost as lost:
                self._lost(connection, queue, lost)
            else:
                self._watch(connection)
        if now >= self._looks_at:
            self._looks_at = now + self._timeout / LOOKS
            self._look_for_silence(queue, now)
        return now

    def _look_for_silence(self, queue: Queue, now: float) -> None:
        """Give up connections on which nothing was to be read or written for too long.

        `now` is when the network was last asked: what a courier took its time for is not laid to the server.
        """
        for connection in list(self._connections.values()):
            if connection.is_active or connection.is_idle:
                connection.is_active, connection.silent_since = False, now
            elif now - connection.silent_since > self._timeout:
                self._lost(connection, queue, Lost(f"no answer within {self._timeout:g} seconds"))

    def _watch(self, connection: Connection) -> None:
        is_full = bool(connection.unsent)
        if is_full is not connection.is_full:
            connection.is_full = is_full
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if is_full else 0)
            self._selector.modify(connection.link, wanted, connection)

    def _lost(self, connection: Connection, queue: Queue, lost: Lost) -> None:
        """Only between the end of the data and its reply is there doubt; everything else was not sent.

        What was not sent goes over another connection, unless it was the first thing this one was to carry: so there
        is progress in every new try, and a server that takes nothing is not asked forever.
        """
        current, ahead = connection.current, connection.ahead
        again = connection.is_kept
        if lost.reply and not again and len(self._connections) > 1:
            # Greeted and then turned away: it was one more than the server grants.
            self._growth.refused(len(self._connections) - 1, time.monotonic())
            again = True
        words = lost.reply or f"connection lost: {lost.reason}"
        if current and connection.is_doubtful:
            doubt = f"connection lost before the server confirmed the message: {lost.reply or lost.reason}"
            queue.settled(connection.slot, current.key, Outcome(Verdict.UNCERTAIN, doubt))
        elif current:
            queue.give_back(connection.slot, current, words, again=again)
        if ahead and connection.refusal:
            queue.settled(connection.slot, ahead.key, connection.refusal)
        elif ahead:
            queue.give_back(connection.slot, ahead, words, again=again or current is not None)
        self._drop(connection)

    def _open(self, queue: Queue) -> None:
        opening, self._opening = self._opening, None
        self._add(queue, opening.result() if opening else open_session(self._account, self._timeout))

    def _adopt(self, queue: Queue) -> bool:
        """Take over what was opened meanwhile; whether there is another connection now."""
        if not self._opening or not self._opening.done():
            return False
        try:
            self._open(queue)
        except NewsletterError:
            self._growth.refused(len(self._connections), time.monotonic())
            return False
        return True

    def _add(self, queue: Queue, session: smtplib.SMTP) -> None:
        slot = next(slot for slot in count() if slot not in self._connections)
        connection = Connection(slot, session, queue)
        self._connections[slot] = connection
        self._selector.register(connection.link, selectors.EVENT_READ, connection)

    def _drop(self, connection: Connection) -> None:
        self._selector.unregister(connection.link)
        del self._connections[connection.slot]
        connection.session.close()


def _close_unused(opening: Future[smtplib.SMTP]) -> None:
    if not opening.exception():
        opening.result().close()
