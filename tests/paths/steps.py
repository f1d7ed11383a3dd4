"""What the paths' tests do again and again."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable


def newsletter(*arguments: str, seconds: float = 120) -> str:
    """Run the command as a person would; what it printed. A failure shows what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", *arguments], capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Return once `condition` holds; fail, saying what was waited for, when it takes too long."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up_at, f"waited {seconds:g} s in vain for {what}"
        time.sleep(0.05)
