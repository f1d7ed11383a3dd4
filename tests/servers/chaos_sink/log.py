"""The log of what was accepted: a line of JSON for each message, in the kernel's hands before the reply leaves.

It outlives `kill -9` of everything but the machine.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

_MESSAGE_ID = re.compile(rb"(?im)^message-id:(?:[ \t]|\r\n[ \t])*(\S+)")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that was accepted: when (Unix time), on which connection, for whom, and how long as transmitted."""

    time: float
    # Counts from 1 each time the sink starts.
    connection: int
    recipients: tuple[str, ...]
    # Empty where the message has none.
    message_id: str
    bytes: int


class Log:
    """Appends, each line in one unbuffered write. What a killed writer left of its last line is removed."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.ftruncate(self._file, path.read_bytes().rfind(b"\n") + 1)

    def add(self, connection: int, recipients: list[str], data: bytes) -> None:
        found = _MESSAGE_ID.search(data.partition(b"\r\n\r\n")[0])
        line = {
            "time": time.time(),
            "connection": connection,
            "recipients": recipients,
            "message_id": found[1].decode("utf-8", "replace") if found else "",
            "bytes": len(data),
        }
        os.write(self._file, json.dumps(line).encode() + b"\n")


def read(path: Path) -> list[Accepted]:
    """All whole lines, in the order of acceptance; none where there is no log yet."""
    whole = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [_parsed(line) for line in whole]


def _parsed(line: bytes) -> Accepted:
    fields = json.loads(line)
    return Accepted(**fields | {"recipients": tuple(fields["recipients"])})
