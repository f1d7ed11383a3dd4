"""Keeps child processes running: started in order, started again when they fail, stopped in reverse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from newsletter.embedded.processes import Process, describe
from newsletter.errors import UnavailableError

LONGEST_DELAY_SECONDS = 30.0
HEALTHY_AFTER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ended:
    """A process ended by itself, or could not be started again."""

    name: str
    how: str
    restart_in_seconds: float
    last_line: str

    def __str__(self) -> str:
        when = f"in {self.restart_in_seconds:g} s" if self.restart_in_seconds else "at once"
        return f"{self.name} ended ({self.how}), starting again {when}: {self.last_line}"


@dataclass(frozen=True, slots=True)
class Restarted:
    """A process that had ended runs again."""

    name: str

    def __str__(self) -> str:
        return f"{self.name} runs again"


@dataclass(slots=True)
class _Watch:
    """What the supervisor remembers of one process; `due_at` is set while it waits to be started again."""

    process: Process
    started_at: float
    failures: int = 0
    due_at: float | None = None


class Supervisor:
    """Processes in their start order: started together, kept running, stopped in reverse."""

    def __init__(self, processes: Iterable[Process], clock: Callable[[], float] = time.monotonic) -> None:
        self._processes = list(processes)
        self._clock = clock
        self._watches: list[_Watch] = []

    def start_all(self) -> None:
        """Starts all of them (those that run already are left as they are), or none."""
        try:
            for process in self._processes:
                process.start()
                self._watches.append(_Watch(process, self._clock()))
        except UnavailableError:
            self.stop_all(timeout_seconds=5)
            raise

    def stop_all(self, timeout_seconds: float) -> None:
        """Stops the last started first, giving each the timeout; nothing is watched any more."""
        self._watches.clear()
        for process in reversed(self._processes):
            process.stop(timeout_seconds)

    def watch_once(self) -> list[Ended | Restarted]:
        """Notices what ended and starts again what is due; returns what happened, for printing."""
        return [change for watch in self._watches if (change := self._look_at(watch))]

    def _look_at(self, watch: _Watch) -> Ended | Restarted | None:
        if watch.due_at is not None:
            return self._restart(watch) if self._clock() >= watch.due_at else None
        status = watch.process.poll()
        if status is None:
            return None
        return self._put_off(watch, describe(status), "".join(watch.process.tail(1)))

    def _restart(self, watch: _Watch) -> Ended | Restarted:
        watch.started_at, watch.due_at = self._clock(), None
        try:
            watch.process.start()
        except UnavailableError as error:
            return self._put_off(watch, "not started", str(error))
        return Restarted(watch.process.command.name)

    def _put_off(self, watch: _Watch, how: str, last_line: str) -> Ended:
        now = self._clock()
        if now - watch.started_at >= HEALTHY_AFTER_SECONDS:
            watch.failures = 0
        # The first time at once: readers wait a second for the event buffer, and no longer.
        delay = min(LONGEST_DELAY_SECONDS, 2.0 ** (watch.failures - 1)) if watch.failures else 0.0
        watch.failures += 1
        watch.due_at = now + delay
        return Ended(watch.process.command.name, how, delay, last_line)
