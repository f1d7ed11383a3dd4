"""SIGTERM in a worker's process means: bring what is on the wire to its end, give the rest back, begin nothing."""

from __future__ import annotations

import signal
from typing import Any

from celery.signals import worker_process_init

_asked: list[int] = []


def is_draining() -> bool:
    """Whether this process was asked to end."""
    return bool(_asked)


@worker_process_init.connect
def _listen(**_: Any) -> None:
    # A supervisor may signal the whole group at once; by default that would kill a process amid a message.
    signal.signal(signal.SIGTERM, lambda number, _frame: _asked.append(number))
