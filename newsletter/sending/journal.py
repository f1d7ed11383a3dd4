"""What a worker process has on the wire, kept where it outlives the process: a small file in shared memory.

The ledger is written in bulk, so between two writes only the process knows what it has sent. It says so here first,
without a system call: a mapped file belongs to the kernel, and survives `kill -9` of its writer. Whoever sweeps next
on this machine reads it and settles what the dead process could not.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import uuid4

from newsletter.errors import ConfigError
from newsletter.mail.outcome import Outcome, Verdict

SLOTS = 256
ENTRIES = 1024
FOLDER = "journals"
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_HEADER = struct.Struct("36sQ")
_COUNT = struct.Struct("Q")
_SLOT = struct.Struct("Q")
_ENTRY = struct.Struct("QB119s")
_COUNT_AT = _HEADER.size - _COUNT.size
_SLOTS_AT = _HEADER.size
_ENTRIES_AT = _SLOTS_AT + SLOTS * _SLOT.size
_SIZE = _ENTRIES_AT + ENTRIES * _ENTRY.size
_VERDICTS = tuple(Verdict)
_NUMBERS = {verdict: number for number, verdict in enumerate(_VERDICTS)}


@dataclass(frozen=True, slots=True)
class Testimony:
    """What a worker's journal says. `is_whole` is False where the machine itself went down since."""

    owner: str
    outcomes: dict[int, Outcome]
    doubtful: frozenset[int]
    is_whole: bool


class Journal:
    """The journal of this process; `owner` is the name its claims are made under."""

    def __init__(self, data_dir: Path) -> None:
        """Raises ConfigError where no file can be kept below `data_dir`."""
        self.owner = uuid4().hex
        self._entries = 0
        folder = data_dir / FOLDER
        try:
            self._make(folder)
        except OSError as error:
            raise ConfigError(
                f"{folder}: a worker cannot keep its journal there ({str(error.strerror).lower()}): "
                "let it write there, or set data_dir to a folder where it may"
            ) from None

    def _make(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self.owner
        # Locked before it has its name, so that no sweep takes it for a dead one's.
        with (folder / f"{self.owner}.new").open("w+b") as file:
            self._lock = os.dup(file.fileno())
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            file.truncate(_SIZE)
            self._map = mmap.mmap(file.fileno(), _SIZE)
        _HEADER.pack_into(self._map, 0, _boot_id(), 0)
        path.with_suffix(".new").rename(path)

    def leaving(self, slot: int, delivery_id: int) -> None:
        """The data of a delivery is about to leave on connection `slot`."""
        _SLOT.pack_into(self._map, _SLOTS_AT + slot * _SLOT.size, delivery_id)

    def settled(self, slot: int, delivery_id: int, outcome: Outcome) -> None:
        """The outcome of a delivery is known. Raises IndexError after 1,024 of them without `clear`."""
        if self._entries >= ENTRIES:
            raise IndexError("the journal is full")
        place = _ENTRIES_AT + self._entries * _ENTRY.size
        # struct cuts what is too long.
        _ENTRY.pack_into(self._map, place, delivery_id, _NUMBERS[outcome.verdict], outcome.reply.encode())
        self._entries += 1
        # The entry counts from here on; only then is the connection free of doubt.
        _COUNT.pack_into(self._map, _COUNT_AT, self._entries)
        place = _SLOTS_AT + slot * _SLOT.size
        if _SLOT.unpack_from(self._map, place) == (delivery_id,):
            _SLOT.pack_into(self._map, place, 0)

    def clear(self) -> None:
        """The ledger has all of it now."""
        self._entries = 0
        _COUNT.pack_into(self._map, _COUNT_AT, 0)

    def testimony(self) -> Testimony:
        """What a sweep would read here if this process died now."""
        return _read(self.owner, self._map[:])

    def wipe(self) -> None:
        """Nothing is on the wire, and the ledger has all outcomes."""
        self._map[_SLOTS_AT:_ENTRIES_AT] = bytes(_ENTRIES_AT - _SLOTS_AT)
        self.clear()

    def close(self) -> None:
        """Leave the file to the next sweep."""
        self._map.close()
        os.close(self._lock)


def dead_journals(data_dir: Path) -> Iterator[Testimony]:
    """The journals of this machine's processes that are gone; each is deleted once the caller asks for the next."""
    folder = data_dir / FOLDER
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.suffix:
            continue
        try:
            file = path.open("rb")
        except FileNotFoundError:
            continue
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if path.exists():
                yield _read(path.name, file.read())
                path.unlink()


def living_owners(data_dir: Path) -> frozenset[str]:
    """The owners of this machine's journals whose processes live; nothing a clock says makes them dead."""
    folder = data_dir / FOLDER
    paths = [path for path in folder.glob("*") if not path.suffix] if folder.is_dir() else []
    return frozenset(path.name for path in paths if _is_locked(path))


def _is_locked(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _read(owner: str, data: bytes) -> Testimony:
    boot_id, count = _HEADER.unpack_from(data)
    outcomes = {}
    for number in range(count):
        delivery_id, verdict, reply = _ENTRY.unpack_from(data, _ENTRIES_AT + number * _ENTRY.size)
        outcomes[delivery_id] = Outcome(_VERDICTS[verdict], reply.rstrip(b"\0").decode("utf-8", "ignore"))
    slots = (_SLOT.unpack_from(data, _SLOTS_AT + slot * _SLOT.size)[0] for slot in range(SLOTS))
    doubtful = frozenset(delivery_id for delivery_id in slots if delivery_id and delivery_id not in outcomes)
    return Testimony(owner, outcomes, doubtful, is_whole=boot_id == _boot_id())


@cache
def _boot_id() -> bytes:
    # A mapped file may lose its last words when the machine goes down: then nothing in it is proof.
    return _BOOT_ID.read_bytes().strip() if _BOOT_ID.exists() else b"unknown"
