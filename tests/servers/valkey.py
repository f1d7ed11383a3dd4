"""A real Valkey for tests: the embedded one, on a folder that is thrown away."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.embedded import valkey
from newsletter.embedded.processes import Process
from tests.servers.postgres import free_port

SECONDS_TO_START = 10.0
SECONDS_TO_STOP = 5.0


class ValkeyServer:
    """A server for as long as the `with` block lasts; `kill` and `start` within it keep place and data.

    Clients come by its unix socket; with `host`, by a free port there.
    """

    def __init__(self, host: str | None = None) -> None:
        self._host = host

    def __enter__(self) -> Self:
        # Pytest's tmp_path is too long for a unix socket.
        self._folder = tempfile.TemporaryDirectory(prefix="vk-", dir="/tmp")
        folder = Path(self._folder.name)
        self.socket = folder / "s"
        self._data = folder / "data"
        command = valkey.command(self._data, self.socket, folder / "log")
        if self._host:
            self._port = free_port(self._host)
            place = ("--bind", self._host, "--port", str(self._port), "--protected-mode", "no")
            command = replace(command, argv=(*command.argv, *place))
        self.process = Process(command)
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
        if self._host:
            return f"redis://{self._host}:{self._port}/0"
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

    def forget(self) -> None:
        """Ends it like `kill` and deletes its data: it starts empty."""
        self.kill()
        shutil.rmtree(self._data)
        self._data.mkdir()
