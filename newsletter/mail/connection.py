"""One SMTP connection as a state machine: commands out in groups, replies matched one by one (RFC 2920).

At most two messages are on a connection: one whose data has left or is leaving, and one whose envelope is ahead.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections import deque
from enum import Enum, auto

from newsletter.mail.courier import Courier, Features, Lost, Parcel, needs_smtputf8
from newsletter.mail.outcome import Envelope, Outcome, Verdict, in_words

RECEIVE_BYTES = 65_536
SERVICE_CLOSING = 421
START_DATA = 354
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_LEADING_STOP = re.compile(rb"(?m)^\.")


class _Step(Enum):
    RESET = auto()
    MAIL = auto()
    RCPT = auto()
    DATA = auto()
    BODY = auto()
    # The end of data that nobody is to get: the server said 354 though it had refused the recipient.
    NOTHING = auto()


class Connection:
    """Carries a courier's parcels over a connected, non-blocking socket on which EHLO has been answered."""

    def __init__(self, slot: int, link: socket.socket, features: Features, courier: Courier) -> None:
        self.slot = slot
        self.link = link
        self.features = features
        self.courier = courier
        self.current: Parcel | None = None
        self.ahead: Parcel | None = None
        # What the server said against the parcel ahead.
        self.refusal: Outcome | None = None
        self.unsent = b""
        # Whether it has carried anything yet: a server may hang up on a connection that was idle for long.
        self.is_kept = False
        self.active_at = time.monotonic()
        self._received = b""
        self._lines: list[bytes] = []
        self._expected: deque[_Step] = deque()
        self._needs_reset = False
        # How many of the unsent bytes come after the end of the current parcel's data.
        self._after_body = 0

    @property
    def is_idle(self) -> bool:
        return self.current is None and self.ahead is None and not self._expected

    @property
    def is_doubtful(self) -> bool:
        """Whether all data of the current parcel has left, its reply has not come."""
        return self.current is not None and len(self.unsent) <= self._after_body

    def go_on(self) -> None:
        """Begin on the next parcel, where nothing is under way."""
        if self.is_idle and (parcel := self._next_parcel()):
            self._write(self._envelope(parcel))

    def flush(self) -> None:
        """Send on what the kernel did not take before."""
        self._write(b"")

    def receive(self) -> None:
        """Read what has come and act on every whole reply. Raises Lost when the server hung up or talks nonsense."""
        while True:
            try:
                data = self.link.recv(RECEIVE_BYTES)
            except _WOULD_BLOCK:
                return
            except OSError as error:
                raise Lost(str(error)) from None
            if not data:
                raise Lost("the server closed the connection")
            self.active_at = time.monotonic()
            *lines, self._received = (self._received + data).split(b"\r\n")
            for line in lines:
                self._line(line)
            # Only TLS may hold more than the selector knows of.
            if not isinstance(self.link, ssl.SSLSocket):
                return

    def _line(self, line: bytes) -> None:
        self._lines.append(line[4:])
        if line[3:4] == b"-":
            return
        words, self._lines = b" ".join(self._lines), []
        try:
            code = int(line[:3])
        except ValueError:
            raise Lost(f"the server's answer makes no sense: {line[:80]!r}") from None
        if not self._expected:
            raise Lost("the server takes its leave", in_words(code, words))
        self._reply(self._expected.popleft(), code, words)

    def _reply(self, step: _Step, code: int, words: bytes) -> None:
        if code == SERVICE_CLOSING and step is not _Step.BODY:
            raise Lost("the server takes its leave", in_words(code, words))
        match step:
            case _Step.BODY:
                self._body_done(code, words)
            case _Step.DATA:
                self._data_answered(code, words)
            case _Step.MAIL | _Step.RCPT:
                if not 200 <= code < 300:
                    self.refusal = self.refusal or Outcome.of_reply(code, words)
                if not self.features.pipelining:
                    self._next_command(step)
            case _Step.NOTHING:
                self._refused()
            case _Step.RESET:
                if not self.features.pipelining and self.ahead:
                    self._command(_Step.MAIL)

    def _data_answered(self, code: int, words: bytes) -> None:
        if code == START_DATA:
            if self.refusal:
                self._expected.append(_Step.NOTHING)
                self._write(b".\r\n")
            else:
                self._send_body()
            return
        self.refusal = self.refusal or Outcome.of_reply(code, words)
        self._needs_reset = True
        self._refused()

    def _refused(self) -> None:
        parcel, refusal = self.ahead, self.refusal
        self.ahead = self.refusal = None
        self.is_kept = True
        if parcel and refusal:
            self.courier.settled(self.slot, parcel.key, refusal)
        self.go_on()

    def _body_done(self, code: int, words: bytes) -> None:
        parcel, self.current = self.current, None
        self.is_kept = True
        if parcel:
            sent = 200 <= code < 300
            outcome = Outcome(Verdict.SENT, in_words(code, words)) if sent else Outcome.of_reply(code, words)
            self.courier.settled(self.slot, parcel.key, outcome)
        if code == SERVICE_CLOSING:
            raise Lost("the server takes its leave", in_words(code, words))
        self.go_on()

    def _next_parcel(self) -> Parcel | None:
        """The next one that this server can take; the others are refused here."""
        while parcel := self.courier.next_parcel():
            if self.features.smtputf8 or not needs_smtputf8(parcel.envelope):
                return parcel
            words = "the server does not take addresses outside ASCII (no SMTPUTF8)"
            self.courier.settled(self.slot, parcel.key, Outcome(Verdict.REJECTED, words))
        return None

    def _send_body(self) -> None:
        self.current, self.ahead = self.ahead, None
        if self.current is None:
            raise Lost("the server asked for data that nobody announced")
        self._expected.append(_Step.BODY)
        ahead = self._next_parcel() if self.features.pipelining else None
        head = self._envelope(ahead) if ahead else b""
        self.courier.leaving(self.slot, self.current.key)
        data = self.current.envelope.data
        if data.startswith(b".") or b"\n." in data:
            data = _LEADING_STOP.sub(b"..", data)
        self._after_body = len(head)
        self._write(b"".join((data, b".\r\n", head)))

    def _envelope(self, parcel: Parcel) -> bytes:
        """The commands that announce a parcel: all of them, or the first where the server wants one at a time."""
        self.ahead = parcel
        self.refusal = None
        steps = [_Step.RESET] if self._needs_reset else []
        self._needs_reset = False
        steps.append(_Step.MAIL)
        if self.features.pipelining:
            steps += (_Step.RCPT, _Step.DATA)
        else:
            steps = steps[:1]
        self._expected.extend(steps)
        return b"".join(self._text_of(step, parcel.envelope) for step in steps)

    def _next_command(self, answered: _Step) -> None:
        if self.refusal:
            self._needs_reset = True
            self._refused()
        else:
            self._command(_Step.RCPT if answered is _Step.MAIL else _Step.DATA)

    def _command(self, step: _Step) -> None:
        if self.ahead:
            self._expected.append(step)
            self._write(self._text_of(step, self.ahead.envelope))

    def _text_of(self, step: _Step, envelope: Envelope) -> bytes:
        match step:
            case _Step.RESET:
                return b"RSET\r\n"
            case _Step.MAIL:
                size = f" SIZE={len(envelope.data)}" if self.features.size else ""
                utf8 = " SMTPUTF8" if needs_smtputf8(envelope) else ""
                return f"MAIL FROM:<{envelope.mail_from}>{size}{utf8}\r\n".encode()
            case _Step.RCPT:
                return f"RCPT TO:<{envelope.rcpt_to}>\r\n".encode()
            case _:
                return b"DATA\r\n"

    def _write(self, data: bytes) -> None:
        data = self.unsent + data if self.unsent else data
        try:
            sent = self.link.send(data) if data else 0
        except _WOULD_BLOCK:
            sent = 0
        except OSError as error:
            self.unsent = data
            raise Lost(str(error)) from None
        self.unsent = data[sent:]
        if sent:
            self.active_at = time.monotonic()
