"""The catch-all mailbox of the demo and of tests: an SMTP server that keeps every message as a file."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.errors import ConfigError, InputError, NewsletterError, NotFoundError

USAGE = "usage: python -m newsletter.mail.outbox DIR HOST PORT"
READ_BYTES = 1 << 20  # more than asyncio reads at once
LARGEST_BYTES = 32 << 20


@dataclass(frozen=True, slots=True)
class Kept:
    """One kept message: its number, its envelope, and where its bytes are. An empty `mail_from` is a bounce's."""

    number: int
    mail_from: str
    rcpt_to: tuple[str, ...]
    received_at: datetime
    path: Path

    @property
    def raw(self) -> bytes:
        """The message as it was received, with nothing added."""
        return self.path.read_bytes()


class Outbox:
    """A directory of kept messages, maildir-like: what is listed is whole. Many may read; one may write."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._new = directory / "new"
        self._tmp = directory / "tmp"

    def messages(self) -> list[Kept]:
        """Every message, the oldest first."""
        return [self.get(number) for number in self.numbers()]

    def numbers(self) -> list[int]:
        """The numbers of all messages, ascending."""
        return sorted(self._numbers(".eml"))

    def count(self) -> int:
        return sum(1 for _ in self._numbers(".eml"))

    def get(self, number: int) -> Kept:
        path = self._new / f"{number:08d}.eml"
        if not path.exists():
            raise NotFoundError(f"no message {number} in {self._new}: see which are listed")
        envelope = json.loads(path.with_suffix(".json").read_text("utf-8"))
        received_at = datetime.fromisoformat(envelope["received_at"])
        return Kept(number, envelope["mail_from"], tuple(envelope["rcpt_to"]), received_at, path)

    def keep(self, mail_from: str, rcpt_to: Sequence[str], raw: bytes, received_at: datetime) -> int:
        """Writes one message and returns its number. It survives a killed process, not a power cut: no fsync."""
        number = next(self._unused)
        name = f"{number:08d}"
        envelope = {"mail_from": mail_from, "rcpt_to": list(rcpt_to), "received_at": received_at.isoformat()}
        (self._new / f"{name}.json").write_text(json.dumps(envelope, ensure_ascii=False), "utf-8")
        unlisted = self._tmp / f"{name}.eml"
        unlisted.write_bytes(raw)
        unlisted.rename(self._new / f"{name}.eml")  # the last step: it is listed now, envelope and all
        return number

    def _numbers(self, suffix: str) -> Iterator[int]:
        if not self._new.is_dir():
            return
        with os.scandir(self._new) as entries:
            for entry in entries:
                stem, found = os.path.splitext(entry.name)
                if found == suffix and stem.isdecimal():
                    yield int(stem)

    @cached_property
    def _unused(self) -> Iterator[int]:
        """Continues after the last run's numbers, those of messages it could not finish included."""
        for directory in (self._new, self._tmp):
            directory.mkdir(parents=True, exist_ok=True)
        return itertools.count(max(self._numbers(".json"), default=0) + 1)


class _Keeper:
    """aiosmtpd's hooks: accept everything, keep it, say under which number."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*replies[:-1], "250-PIPELINING", replies[-1]]  # it reads from a stream, so it may be told

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        mail_from = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        raw = envelope.original_content or b""
        try:
            number = self._outbox.keep(mail_from, envelope.rcpt_tos, raw, datetime.now(UTC))
        except OSError as error:  # a full disk, say: the sender is to try again, not to give up
            return f"452 4.3.1 not kept: {error.strerror}"
        return f"250 2.0.0 kept as {number:08d}"


class _Server(SMTP):
    """aiosmtpd takes DATA line by line, which costs 2 ms more for 47 KB; this takes whatever has come."""

    async def smtp_DATA(self, arg: str | None) -> None:
        if arg or self.envelope is None or not self.envelope.rcpt_tos:
            await super().smtp_DATA(arg)  # out of place: it has the right answer
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        self.envelope.original_content = await self._content()
        reply = await self._call_handler_hook("DATA")
        self.envelope = self._create_envelope()
        await self.push(reply)

    async def _content(self) -> bytes:
        """Everything up to the lone dot, with the dots that were doubled for the way made single again."""
        received, searched = bytearray(b"\r\n"), 0
        while (end := received.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(0, len(received) - 4)
            chunk = await self._reader.read(READ_BYTES)
            if not chunk or len(received) > LARGEST_BYTES:
                raise ConnectionResetError  # gone, or not to be stopped in another way: aiosmtpd hangs up
            received += chunk
        self._reader.feed_data(received[end + 5 :])  # commands sent along: the reader is empty, so in order
        return bytes(received[: end + 2].replace(b"\r\n.", b"\r\n")[2:])


def serve(directory: Path, host: str, port: int) -> None:
    """Keeps every message sent to the address until SIGTERM or SIGINT; port 0 picks a free one. Says where."""
    asyncio.run(_serve(Outbox(directory), host, port))


async def _serve(outbox: Outbox, host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopped.set)
    keeper = _Keeper(outbox)

    def connected() -> SMTP:
        return _Server(keeper, hostname="localhost", ident="newsletter outbox", enable_SMTPUTF8=True, loop=loop)

    try:
        server = await loop.create_server(connected, host, port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        what = f"outbox: cannot listen on {host}:{port} ({reason})"
        raise ConfigError(f"{what}: stop what uses it or choose another host and port") from error
    bound_host, bound_port = server.sockets[0].getsockname()[:2]
    print(f"outbox listening on {bound_host}:{bound_port}", flush=True)
    await stopped.wait()
    server.close()


def main(arguments: Sequence[str]) -> int:
    """Exit status 0 after a signal, 2 (and one line on stderr) when it cannot listen or was called wrongly."""
    try:
        if len(arguments) != 3 or not arguments[2].isdecimal() or int(arguments[2]) > 65535:
            raise InputError(USAGE)
        serve(Path(arguments[0]), arguments[1], int(arguments[2]))
    except NewsletterError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
