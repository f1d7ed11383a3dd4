"""One owner for a data directory: two runs on the same files would damage them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsletter.errors import ConflictError


@contextmanager
def hold(data_dir: Path) -> Iterator[None]:
    """Holds the directory (made if missing) for this process; ConflictError names the one that has it.

    The kernel gives the lock back however the holder ends, and no child started by it inherits the lock.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The file stays when the lock is given back: removing it would let two holders lock two files of that name.
    with (data_dir / "lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid = file.read().strip() or "unknown"
            raise ConflictError(
                f"another `newsletter up` or `newsletter demo` is running on {data_dir} (pid {pid}): stop it first"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
