"""What processes cost: CPU seconds and resident bytes, read from /proc (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _UTIME, _STIME, _CUTIME, _CSTIME = 1, 11, 12, 13, 14


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents = {child: int(fields[_PARENT]) for child, fields in _all().items()}
    found = [pid]
    for member in found:
        found += [child for child, parent in parents.items() if parent == member]
    return found


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process and of all its descendants, those that have ended included."""
    stats = _all()
    members = [member for member in family(pid) if member in stats]
    ticks = sum(int(stats[member][field]) for member in members for field in (_UTIME, _STIME, _CUTIME, _CSTIME))
    return ticks / _TICKS


def peak_bytes(pid: int) -> int:
    """The largest that the resident size of a process or one of its descendants ever was."""
    peaks = []
    for member in family(pid):
        lines = Path(f"/proc/{member}/status").read_text(encoding="utf-8").splitlines()
        peaks += [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
    return max(peaks)


def _all() -> dict[int, list[str]]:
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        # The second field is a name in parentheses that may itself hold anything.
        found[int(path.parent.name)] = text.rpartition(")")[2].split()
    return found
