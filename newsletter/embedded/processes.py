"""Child processes that stop when asked and never outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import UnavailableError

PR_SET_PDEATHSIG = 1
TAIL_BYTES = 16_384


def dies_with_parent(signum: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """A `preexec_fn` by which the kernel signals the child once its parent is gone; None off Linux.

    The kernel means the parent's *thread*: start children from one that lives as long as they should.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl  # looked up here: between fork and exec it could meet a held lock
    parent = os.getpid()

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, int(signum))
        if os.getppid() != parent:  # it died before the line above: no signal will come
            os._exit(1)

    return bind


def tail(log: Path, lines: int) -> list[str]:
    """The last lines of a log that are not blank; none where there is no log yet."""
    if not log.exists():
        return []
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL_BYTES))
        text = file.read().decode(errors="replace")
    return [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]


def describe(status: int) -> str:
    """An exit status in words: "status 1", or "signal SIGKILL" for a negative one."""
    return f"status {status}" if status >= 0 else f"signal {signal.Signals(-status).name}"


@dataclass(frozen=True, slots=True)
class Command:
    """What to run. `env` is added to this process's environment; output is appended to `log`."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    log: Path


class Process:
    """One run of a command at a time, in a session of its own so that Ctrl-C reaches the parent alone."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._child: subprocess.Popen[bytes] | None = None
        self._group: int | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self.poll() is None

    def start(self) -> None:
        """Starts the command; does nothing while it runs. Call it from a thread that stays."""
        if self.running:
            return
        command = self.command
        command.log.parent.mkdir(parents=True, exist_ok=True)
        try:
            with command.log.open("ab") as log:
                self._child = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                    command.argv,
                    env={**os.environ, **command.env},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=dies_with_parent(),
                )
        except OSError as error:
            what = f"{command.name}: cannot start {command.argv[0]}"
            raise UnavailableError(f"{what} ({error.strerror}): install it or mend its path") from error
        self._group = self._child.pid

    def poll(self) -> int | None:
        """The exit status (negative: ended by that signal); None while it runs and before it is started."""
        status = self._child.poll() if self._child else None
        if status is not None:
            self._kill_group()  # what a dead leader leaves behind must not work beside its successor
        return status

    def stop(self, timeout_seconds: float) -> None:
        """Asks the leader to end; after the timeout kills it. Nothing of its group is left either way."""
        if self._child is None:
            return
        if self.poll() is None:
            self._child.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout_seconds)
        self._kill_group()
        self._child.wait()

    def tail(self, lines: int) -> list[str]:
        """The last lines of the log, for error messages."""
        return tail(self.command.log, lines)

    def _kill_group(self) -> None:
        group, self._group = self._group, None  # once only: the number may be given to others later
        if group is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(group, signal.SIGKILL)
