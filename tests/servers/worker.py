"""A real Celery worker with beat, as a child process with settings of its own."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.embedded.processes import Command, Process

CELERY = (sys.executable, "-m", "celery", "-A", "workers")
PROCESSES = 2
READY = "ready."
READY_SECONDS = 30.0
STOP_SECONDS = 30.0


class Worker:
    """Takes tasks until the `with` block ends; stopped as an operator would, so that it drains.

    `name` is that of its log in `folder`; `within` is a command that runs the worker, such as `ip netns exec NAME`.
    """

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        beat: bool = True,
        processes: int = PROCESSES,
        name: str = "worker",
        within: Sequence[str] = (),
    ) -> None:
        self._log = folder / f"{name}.log"
        schedule = ("--beat", "--schedule", str(folder / f"{name}-beat-schedule")) if beat else ()
        options = ("--concurrency", str(processes), "--loglevel", "INFO", "--without-gossip", "--without-mingle")
        self.process = Process(
            Command(name, (*within, *CELERY, "worker", *options, *schedule), environment, self._log)
        )

    def __enter__(self) -> Self:
        self.process.start()
        give_up_at = time.monotonic() + READY_SECONDS
        while READY not in self.log:
            if self.process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(f"the worker did not start:\n{self.log}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.stop(STOP_SECONDS)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8") if self._log.exists() else ""

    def signal_all(self, signum: signal.Signals) -> None:
        """Signal the worker and all its processes at one moment, as a supervisor may, or the machine."""
        assert self.process.pid is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signum)


class Beat:
    """Puts tasks when it is time, in a process of its own, until the `with` block ends."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        arguments = ("beat", "--pidfile=", "--schedule", str(folder / "beat-schedule"))
        self._process = Process(Command("beat", (*CELERY, *arguments), environment, folder / "beat.log"))

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.stop(STOP_SECONDS)
