"""An SMTP server for failure tests: in a process of its own, its misbehaviour changed while it runs."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.servers.chaos_sink.behaviour import Behaviour
from tests.servers.chaos_sink.log import Accepted, read

__all__ = ["Accepted", "Behaviour", "ChaosSink"]


class ChaosSink:
    """Accepts mail on one port of `host` for as long as the `with` block lasts, and logs every message it accepts.

    `kill` and `start` within the block keep port, log and behaviour.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self._behaviour = Behaviour()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="newsletter-sink-")
        self._log = Path(self._folder.name) / "accepted"
        # Bound but not listening: nobody else is given the port while the sink is dead, and clients are refused.
        self._place = socket.socket()
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._place.bind((self.host, 0))
            self.port: int = self._place.getsockname()[1]
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._place.close()
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """The SMTP URL, as the settings take it."""
        return f"smtp://{self.host}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The server's process, None while it is killed."""
        return self._process.pid if self._process else None

    def behave(self, **behaviour: Any) -> None:
        """Behave like that, and not as told before, from now on: the fields of Behaviour, none to accept everything.

        In force for what arrives after this returns. Raises TypeError or ValueError for what Behaviour does not know.
        """
        self._behaviour = Behaviour(**behaviour)
        if self._process is not None:
            self._tell(self._process)

    def accepted(self) -> list[Accepted]:
        """Every message that was accepted so far, whether its sender was told or not."""
        return read(self._log)

    def counts(self) -> Counter[str]:
        """How many messages each recipient was sent."""
        return Counter(recipient for message in self.accepted() for recipient in message.recipients)

    def start(self) -> None:
        """Open the port (again); does nothing while it is open."""
        if self._process is None:
            arguments = (self.host, str(self.port), str(self._log))
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
            self._tell(self._process)

    def kill(self) -> None:
        """As `kill -9`: all connections break, the port is closed."""
        if self._process is not None:
            self._process.kill()
            with self._process:
                self._process = None

    def _tell(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(asdict(self._behaviour)).encode() + b"\n")
        if not process.stdout.readline():
            raise RuntimeError(f"the sink on {self.url} has ended; its last words are on stderr")
