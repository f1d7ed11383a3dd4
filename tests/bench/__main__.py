"""Runs every benchmark: `python -m tests.bench [--quick]`."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("render", "transport", "send", "distance", "scale", "imports", "segments", "track", "stats")

if __name__ == "__main__":
    statuses = [
        subprocess.run([sys.executable, "-m", f"tests.bench.{name}", *sys.argv[1:]], check=False).returncode
        for name in BENCHMARKS
    ]
    sys.exit(max(statuses))
