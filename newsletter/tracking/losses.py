"""What a process answered and could not keep, counted where the count outlives it: in a file, then in the buffer."""

from __future__ import annotations

import fcntl
import os
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

import structlog

FOLDER = "losses"
# A hash: by mailing and by the process that lost them, how many events were answered and not kept.
LOST = "newsletter:events-lost"

log = structlog.get_logger()


class Losses:
    """The events that this process lost, and those of processes on this machine that died before they told.

    What is told is a total under the name of the process, so telling it twice changes nothing.
    """

    def __init__(self, data_dir: Path) -> None:
        self.lost: Counter[int] = Counter()
        self._folder = data_dir / FOLDER
        self._name = token_hex(8)
        self._file: int | None = None
        self._is_told = True
        self._is_written = True
        self._left_behind = list(_of_the_dead(self._folder))

    @property
    def are_told(self) -> bool:
        """Whether the buffer has all of it."""
        return self._is_told and not self._left_behind

    def add(self, mailings: Iterable[int]) -> None:
        """An event of each of these mailings is lost."""
        self.lost.update(mailings)
        self._is_told = False
        self._write()

    def totals(self) -> dict[str, int]:
        """What the buffer is to be told: the fields of its hash and what they are from now on."""
        fields = {_field(mailing_id, self._name): count for mailing_id, count in self.lost.items()}
        for left in self._left_behind:
            fields |= {_field(mailing_id, left.name): count for mailing_id, count in left.counts.items()}
        return fields if not self.are_told else {}

    def told(self) -> None:
        """The buffer has all of it: call it where nothing was added since `totals`."""
        self._is_told = True
        for left in self._left_behind:
            left.forget()
        self._left_behind.clear()

    def close(self) -> None:
        """Leave to the next process on this machine what was not told, and nothing else."""
        if self._file is not None:
            if self._is_told:
                (self._folder / self._name).unlink(missing_ok=True)
            os.close(self._file)
        for left in self._left_behind:
            left.close()

    def _write(self) -> None:
        if not self._is_written:
            return
        try:
            if self._file is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = os.open(self._folder / self._name, os.O_RDWR | os.O_CREAT, 0o600)
                fcntl.flock(self._file, fcntl.LOCK_EX)
            # Counts only grow, and so does their text: it is never longer than what is written over it.
            os.pwrite(self._file, "".join(f"{one} {count}\n" for one, count in self.lost.items()).encode(), 0)
        except OSError as error:
            self._is_written = False
            log.warning("losses are not written down", folder=str(self._folder), reason=error.strerror)


class _LeftBehind:
    """The file of a process that died, held so that no other reads it meanwhile."""

    def __init__(self, path: Path, file: int) -> None:
        self.name = path.name
        self.counts = _read(os.pread(file, os.fstat(file).st_size, 0).decode("ascii", "replace"))
        self._path = path
        self._file = file

    def forget(self) -> None:
        self._path.unlink(missing_ok=True)
        self.close()

    def close(self) -> None:
        os.close(self._file)


def sum_up(fields: Iterable[tuple[bytes, bytes]]) -> Counter[int]:
    """How many events of each mailing were lost, by what processes told."""
    counts: Counter[int] = Counter()
    for field, count in fields:
        counts[int(field.partition(b" ")[0])] += int(count)
    return counts


def _field(mailing_id: int, process: str) -> str:
    return f"{mailing_id} {process}"


def _of_the_dead(folder: Path) -> Iterable[_LeftBehind]:
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(OSError):
            file = os.open(path, os.O_RDWR)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:  # its process lives
                os.close(file)
                continue
            yield _LeftBehind(path, file)


def _read(text: str) -> dict[int, int]:
    """Lines that a power cut damaged are passed over."""
    pairs = (line.split() for line in text.splitlines())
    return {int(pair[0]): int(pair[1]) for pair in pairs if len(pair) == 2 and all(map(str.isdecimal, pair))}
