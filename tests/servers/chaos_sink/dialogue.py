"""What the sink answers: the SMTP commands and their order, without the bytes (RFC 5321)."""

from __future__ import annotations

import random
import re

from tests.servers.chaos_sink.behaviour import Behaviour, DropStep
from tests.servers.chaos_sink.log import Log

OUT_OF_ORDER = "503 5.5.1 bad sequence of commands"
NOBODY = "554 5.5.1 no valid recipients"
TOO_BIG = "552 5.3.4 message too big"
KEPT = "250 2.0.0 message kept"

_MAIL = re.compile(r"FROM:\s*<(.*?)>(.*)", re.IGNORECASE)
_SIZE = re.compile(r"\sSIZE=(\d+)", re.IGNORECASE)
_RCPT = re.compile(r"TO:\s*<(.+?)>.*", re.IGNORECASE)


class HangUp(Exception):
    """The connection is to be closed, after this reply if there is one."""

    def __init__(self, reply: str = "") -> None:
        super().__init__(reply)
        self.reply = reply


class Sink:
    """What all connections share: the behaviour in force and the log."""

    def __init__(self, log: Log, behaviour: Behaviour) -> None:
        self.log = log
        self.connections = 0
        self.behave(behaviour)

    def behave(self, behaviour: Behaviour) -> None:
        self.behaviour = behaviour
        self._drops_left = behaviour.drop.get("next", 0) if behaviour.drop else 0

    def drops_at(self, step: DropStep) -> bool:
        """Whether this message, or this connection, is dropped here; to be asked once for each."""
        drop = self.behaviour.drop
        if drop is None or drop["step"] != step:
            return False
        if "fraction" in drop:
            return random.random() < drop["fraction"]
        self._drops_left -= 1
        return self._drops_left >= 0


class Dialogue:
    """One client's commands in, replies out; any of them may raise HangUp instead."""

    def __init__(self, sink: Sink) -> None:
        sink.connections += 1
        self._number = sink.connections
        self._sink = sink
        self._is_greeted = self._is_turned_away = False
        self._taken = 0
        self._forget()

    def _forget(self) -> None:
        """End the mail transaction, whatever it had."""
        self._has_sender = False
        self._recipients: list[str] = []
        self.chunks: list[bytes] = []

    def greet(self) -> str:
        if self._sink.drops_at("greeting"):
            raise HangUp
        refusal = self._sink.behaviour.refusal_at("greeting")
        self._is_turned_away = refusal is not None
        return refusal or "220 sink ESMTP"

    def answer(self, verb: str, argument: str) -> str:
        match verb:
            case "QUIT":
                raise HangUp("221 2.0.0 bye")
            case _ if self._is_turned_away:
                return OUT_OF_ORDER
            case "EHLO" | "HELO":
                self._is_greeted = True
                self._forget()
                return self._features() if verb == "EHLO" else "250 sink"
            case "RSET":
                self._forget()
                return "250 2.0.0 forgotten"
            case "NOOP":
                return "250 2.0.0 nothing done"
            case "MAIL":
                return self._mail(argument)
            case "RCPT":
                return self._rcpt(argument)
            case "DATA":
                refusal = OUT_OF_ORDER if self.chunks else self.refusal_of_data()
                return refusal or "354 end with a dot on a line of its own"
            case "BDAT" if self._sink.behaviour.chunking:
                return "501 5.5.4 write BDAT size or BDAT size LAST"
        return "502 5.5.1 command not implemented"

    def refusal_of_data(self) -> str | None:
        """Why there may be no data now, if so."""
        if not self._has_sender:
            return OUT_OF_ORDER
        return self._sink.behaviour.refusal_at("data") if self._recipients else NOBODY

    def chunk(self, data: bytes, *, is_last: bool) -> str:
        """A whole BDAT chunk; one that is refused ends the transaction (RFC 3030 section 2)."""
        if refusal := self.refusal_of_data():
            self._forget()
            return refusal
        self.chunks.append(data)
        return self.message(b"".join(self.chunks)) if is_last else f"250 2.0.0 {len(data)} octets taken"

    def message(self, data: bytes) -> str:
        """All of a message, which is in the log before its reply is here."""
        if self._sink.drops_at("after_dot"):
            raise HangUp
        recipients, limit = self._recipients, self._sink.behaviour.size
        self._forget()
        if limit and len(data) > limit:
            return TOO_BIG
        self._sink.log.add(self._number, recipients, data)
        self._taken += 1
        if self._sink.drops_at("before_reply"):
            raise HangUp
        return KEPT

    def _features(self) -> str:
        behaviour = self._sink.behaviour
        lines = ["sink", "8BITMIME", "SMTPUTF8", f"SIZE {behaviour.size or 0}"]
        lines += ["PIPELINING"] if behaviour.pipelining else []
        lines += ["CHUNKING"] if behaviour.chunking else []
        return "".join(f"250-{line}\r\n" for line in lines) + "250 ENHANCEDSTATUSCODES"

    def _mail(self, argument: str) -> str:
        behaviour = self._sink.behaviour
        if self._sink.drops_at("before_mail"):
            raise HangUp
        if not self._is_greeted or self._has_sender:
            return OUT_OF_ORDER
        if behaviour.close_after is not None and self._taken >= behaviour.close_after:
            return "421 4.7.0 too many messages on this connection"
        if refusal := behaviour.refusal_at("mail"):
            return refusal
        found = _MAIL.fullmatch(argument)
        if found is None:
            return "501 5.5.4 write MAIL FROM:<address>"
        announced = _SIZE.search(found[2])
        if behaviour.size and announced and int(announced[1]) > behaviour.size:
            return TOO_BIG
        self._has_sender = True
        return "250 2.1.0 sender taken"

    def _rcpt(self, argument: str) -> str:
        if not self._has_sender or self.chunks:
            return OUT_OF_ORDER
        found = _RCPT.fullmatch(argument)
        if found is None:
            return "501 5.5.4 write RCPT TO:<address>"
        if refusal := self._sink.behaviour.refusal_of(found[1]):
            return refusal
        self._recipients.append(found[1])
        reply = "250 2.1.5 recipient taken"
        if len(self._recipients) == 1 and self._sink.drops_at("after_rcpt"):
            raise HangUp(reply)
        return reply
