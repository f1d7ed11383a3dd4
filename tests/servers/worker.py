"""A real Celery worker with beat, as a child process with settings of its own."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from newsletter.embedded.processes import Command, Process

READY = "ready."
READY_SECONDS = 30.0
STOP_SECONDS = 30.0


class Worker:
    """Takes tasks until the `with` block ends; stopped as an operator would, so that it drains."""

    def __init__(self, folder: Path, environment: Mapping[str, str], *, beat: bool = True) -> None:
        self._log = folder / "worker.log"
        schedule = ("--beat", "--schedule", str(folder / "beat-schedule")) if beat else ()
        arguments = ("-A", "workers", "worker", "--concurrency", "2", "--loglevel", "INFO", *schedule)
        self.process = Process(
            Command("worker", (sys.executable, "-m", "celery", *arguments), environment, self._log)
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
