"""One SMTP connection as a state machine: commands out in groups, replies matched one by one (RFC 2920, RFC 3030).

At most two messages are on a connection: one whose data has left or is leaving, and one whose envelope is ahead. The
data of the second leaves only after the reply to the first, so at most one is ever in doubt.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections import deque
from collections.abc import Callable

from newsletter.mail.courier import Lost, Parcel, Queue
from newsletter.mail.outcome import Outcome, Verdict, in_words
from newsletter.mail.session import Features

RECEIVE_BYTES = 65_536
SERVICE_CLOSING = 421
START_DATA = 354
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Connection:
    """Carries a queue's parcels over an open session, whose socket becomes non-blocking."""

    def __init__(self, slot: int, session: smtplib.SMTP, queue: Queue) -> None:
        assert session.sock is not None  # noqa: S101 - an open session has one
        self.slot = slot
        self.session = session
        self.queue = queue
        self.link = session.sock
        self.link.setblocking(False)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.current: Parcel | None = None
        self.ahead: Parcel | None = None
        # What the server said against the parcel ahead.
        self.refusal: Outcome | None = None
        self.unsent = b""
        # Whether it has carried anything, or is from an earlier run: a server may hang up on what was idle for long.
        self.is_kept = False
        # Whether the selector watches for room to write.
        self.is_full = False
        # Whether anything went to and fro since it was last looked at for silence, and when it first had not.
        self.is_active = True
        self.silent_since = 0.0
        self._features = Features.of(session)
        self._received = b""
        # The words of a reply's lines before its last.
        self._earlier = b""
        self._expected: deque[Callable[[int, bytes], None]] = deque()
        # Commands that must wait for the reply to the one before, where the server wants them one at a time.
        self._held: deque[bytes] = deque()
        self._needs_reset = False
        # How many of the unsent bytes come after the end of the current parcel's data.
        self._after_body = 0

    @property
    def is_idle(self) -> bool:
        return not self._expected

    @property
    def is_doubtful(self) -> bool:
        """Whether all data of the current parcel has left, its reply has not come."""
        return self.current is not None and len(self.unsent) <= self._after_body

    def go_on(self) -> None:
        """Begin on the next parcel, where nothing is under way. Raises Lost, as all that touches the network."""
        if self.is_idle and (parcel := self._next_parcel()):
            self._write(self._announcement(parcel))

    def flush(self) -> None:
        """Send on what the kernel did not take before."""
        self._write(b"")

    def receive(self) -> None:
        """Read what has come and act on every whole reply; Lost when the server hung up or talks nonsense."""
        while True:
            try:
                data = self.link.recv(RECEIVE_BYTES)
            except _WOULD_BLOCK:
                return
            except OSError as error:
                raise Lost(str(error)) from None
            if not data:
                raise Lost("the server closed the connection")
            self.is_active = True
            *lines, self._received = (self._received + data).split(b"\r\n")
            for line in lines:
                if line[3:4] == b"-":
                    self._earlier += line[4:] + b" "
                else:
                    self._reply(line)
            # Only TLS may hold more than the selector knows of.
            if not isinstance(self.link, ssl.SSLSocket):
                return

    def _reply(self, last_line: bytes) -> None:
        words, self._earlier = self._earlier + last_line[4:], b""
        try:
            code = int(last_line[:3])
        except ValueError:
            raise Lost(f"the server's answer makes no sense: {last_line[:80]!r}") from None
        if code == SERVICE_CLOSING or not self._expected:
            self._settle_current(code, words)
            raise Lost("the server takes its leave", in_words(code, words))
        self._expected.popleft()(code, words)

    def _announcement(self, parcel: Parcel) -> bytes:
        """What to say to have the parcel taken: all of it, or the first command where they go one at a time."""
        self.ahead = parcel
        self.refusal = None
        commands = self._features.announcement(parcel.envelope)
        if self._needs_reset:
            self._needs_reset = False
            self._expected.append(self._reset_answered)
            commands = b"RSET\r\n" + commands
        if self._features.chunking:
            self._expected += (self._command_answered, self._envelope_answered)
        else:
            self._expected += (self._command_answered, self._command_answered, self._data_answered)
        if self._features.pipelining:
            return commands
        self._held.extend(commands.splitlines(keepends=True))
        return self._held.popleft()

    def _reset_answered(self, _code: int, _words: bytes) -> None:
        self._say_next()

    def _command_answered(self, code: int, words: bytes) -> None:
        """MAIL or RCPT, with more to be answered for this parcel."""
        self._note(code, words)
        if self.refusal and self._held:
            self._held.clear()
            self._expected.clear()
            self._refused()
        else:
            self._say_next()

    def _envelope_answered(self, code: int, words: bytes) -> None:
        """RCPT, where the data follows without being asked for."""
        self._note(code, words)
        if self.refusal:
            self._refused()
        else:
            self._send_body()

    def _data_answered(self, code: int, words: bytes) -> None:
        if code != START_DATA:
            self.refusal = self.refusal or Outcome.of_reply(code, words)
            self._refused()
        elif self.refusal:
            # The server waits for data that nobody is to get, though it had refused the recipient.
            self._expected.append(lambda *_: self._refused())
            self._write(b".\r\n")
        else:
            self._send_body()

    def _body_answered(self, code: int, words: bytes) -> None:
        self._settle_current(code, words)
        self.go_on()

    def _note(self, code: int, words: bytes) -> None:
        if not 200 <= code < 300:
            self.refusal = self.refusal or Outcome.of_reply(code, words)

    def _say_next(self) -> None:
        if self._held:
            self._write(self._held.popleft())

    def _refused(self) -> None:
        parcel, refusal = self.ahead, self.refusal
        self.ahead = self.refusal = None
        self.is_kept = self._needs_reset = True
        if parcel and refusal:
            self.queue.settled(self.slot, parcel.key, refusal)
        self.go_on()

    def _settle_current(self, code: int, words: bytes) -> None:
        parcel, self.current = self.current, None
        if parcel:
            self.is_kept = True
            is_sent = 200 <= code < 300
            outcome = Outcome(Verdict.SENT, in_words(code, words)) if is_sent else Outcome.of_reply(code, words)
            self.queue.settled(self.slot, parcel.key, outcome)

    def _next_parcel(self) -> Parcel | None:
        """The next one that this server can take; the others are refused here."""
        while parcel := self.queue.next_parcel():
            objection = self._features.objection(parcel.envelope)
            if not objection:
                return parcel
            self.queue.settled(self.slot, parcel.key, Outcome(Verdict.REJECTED, objection))
        return None

    def _send_body(self) -> None:
        parcel = self.current = self.ahead
        assert parcel is not None  # noqa: S101 - its announcement has just been answered
        self.ahead = None
        self._expected.append(self._body_answered)
        following = self._next_parcel() if self._features.pipelining else None
        announcement = self._announcement(following) if following else b""
        self.queue.leaving(self.slot, parcel.key)
        self._after_body = len(announcement)
        self._write(b"".join((*self._features.body(parcel.envelope.data), announcement)))

    def _write(self, data: bytes) -> None:
        data = self.unsent + data if self.unsent else data
        try:
            sent = self.link.send(data)
        except _WOULD_BLOCK:
            sent = 0
        except OSError as error:
            self.unsent = data
            raise Lost(str(error)) from None
        self.unsent = data[sent:]
        self.is_active = self.is_active or sent > 0
