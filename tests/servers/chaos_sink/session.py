"""One connection of the sink: commands a line at a time, message data in any pieces, replies in groups."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import cast

from tests.servers.chaos_sink.dialogue import KEPT, Dialogue, HangUp, Sink

CRLF = b"\r\n"
END_OF_DATA = b"\r\n.\r\n"
CLOSING = "421"
START_DATA = "354"

_BDAT = re.compile(r"(\d+)(\s+LAST)?\s*", re.IGNORECASE)


class Session(asyncio.Protocol):
    """Hears and answers one client; commands that came together are answered together (RFC 2920)."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._dialogue = Dialogue(sink)
        self._received = bytearray()
        self._replies: list[str] = []
        # Takes one thing that was received; whether there was all of it.
        self._take: Callable[[], bool] = self._take_command
        self._is_waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._attempt(lambda: self._say(self._dialogue.greet()))

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._attempt(self._go_on)

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except HangUp as end:
            self._replies += [end.reply] if end.reply else []
            self._flush()
            self._transport.close()
        else:
            self._flush()

    def _go_on(self) -> None:
        while not self._is_waiting and self._take():
            pass

    def _say(self, reply: str) -> None:
        if reply.startswith(CLOSING):
            raise HangUp(reply)
        self._replies.append(reply)

    def _flush(self) -> None:
        if self._replies:
            self._transport.write("".join(f"{reply}\r\n" for reply in self._replies).encode())
            self._replies.clear()

    def _take_command(self) -> bool:
        end = self._received.find(CRLF)
        if end < 0:
            return False
        verb, _, argument = self._received[:end].decode("utf-8", "replace").partition(" ")
        del self._received[: end + len(CRLF)]
        verb = verb.upper()
        if verb == "BDAT" and self._sink.behaviour.chunking and (found := _BDAT.fullmatch(argument)):
            self._expect_chunk(int(found[1]), is_last=found[2] is not None)
            return True
        reply = self._dialogue.answer(verb, argument)
        self._say(reply)
        if reply.startswith(START_DATA):
            self._expect_body()
        return True

    def _expect_body(self) -> None:
        # The end of the command's own line begins the end of data of a message without lines.
        self._received[:0] = CRLF
        self._searched = 0
        self._is_dropped = self._sink.drops_at("in_data")
        self._take = self._take_body

    def _take_body(self) -> bool:
        if self._is_dropped and len(self._received) > len(CRLF):
            raise HangUp
        end = self._received.find(END_OF_DATA, self._searched)
        if end < 0:
            self._searched = max(0, len(self._received) - len(END_OF_DATA) + 1)
            return False
        data = bytes(self._received[len(CRLF) : end + len(CRLF)])
        del self._received[: end + len(END_OF_DATA)]
        self._take = self._take_command
        self._conclude(self._dialogue.message(data))
        return True

    def _expect_chunk(self, size: int, *, is_last: bool) -> None:
        self._chunk_size, self._is_last = size, is_last
        is_first = not self._dialogue.chunks and not self._dialogue.refusal_of_data()
        self._is_dropped = is_first and self._sink.drops_at("in_data")
        self._take = self._take_chunk

    def _take_chunk(self) -> bool:
        if self._is_dropped and self._received:
            raise HangUp
        if len(self._received) < self._chunk_size:
            return False
        data = bytes(self._received[: self._chunk_size])
        del self._received[: self._chunk_size]
        self._take = self._take_command
        self._conclude(self._dialogue.chunk(data, is_last=self._is_last))
        return True

    def _conclude(self, reply: str) -> None:
        """Say what became of the data, once it is time to."""
        if reply == KEPT and (delay := self._sink.behaviour.delay):
            self._is_waiting = True
            self._flush()
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(delay, self._attempt, self._end_wait)
        else:
            self._say(reply)

    def _end_wait(self) -> None:
        self._is_waiting = False
        self._transport.resume_reading()
        self._say(KEPT)
        self._go_on()
