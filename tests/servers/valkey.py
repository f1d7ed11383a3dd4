"""A real Valkey for tests: the embedded one, on a folder that is thrown away."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.embedded import valkey
from newsletter.embedded.processes import Process

SECONDS_TO_START = 10.0
SECONDS_TO_STOP = 5.0


class ValkeyServer:
    """A server for as long as the `with` block lasts; `kill` and `start` within it keep socket and data."""

    def __enter__(self) -> Self:
        # Pytest's tmp_path is too long for a unix socket.
        self._folder = tempfile.TemporaryDirectory(prefix="vk-", dir="/tmp")
        folder = Path(self._folder.name)
        self.socket = folder / "s"
        self.process = Process(valkey.command(folder / "data", self.socket, folder / "log"))
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop(SECONDS_TO_STOP)
        self._folder.cleanup()

    @property
    def url(self) -> str:
        """The broker URL, as Celery takes it."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    def start(self) -> None:
        """Starts it and waits until it answers; does nothing while it runs."""
        self.process.start()
        valkey.wait_ready(self.process, self.socket, SECONDS_TO_START)

    def kill(self) -> None:
        """Ends it with no chance to write anything down.

        What it acknowledged less than two seconds ago may be lost: `WAITAOF 1 0 TIMEOUT` first if it must not.
        """
        if self.process.running and self.process.pid is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.stop(SECONDS_TO_STOP)
