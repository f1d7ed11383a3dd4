"""A worker that is asked to end: what is on the wire comes to its end, the rest is given back, nothing is begun."""

from __future__ import annotations

import signal
from mmap import mmap
from typing import Any

from celery.signals import worker_process_init, worker_shutting_down

# Shared by the worker and its processes, which it forks.
_is_asked = mmap(-1, 1)


def is_draining() -> bool:
    """Whether this worker was asked to end."""
    return _is_asked[0] != 0


@worker_shutting_down.connect
def _tell_processes(**_: Any) -> None:
    _is_asked[0] = 1


@worker_process_init.connect
def _leave_it_to_the_worker(**_: Any) -> None:
    # A supervisor may signal the whole group at once; by default that would kill a process amid a message.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
