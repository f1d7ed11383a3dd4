from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.embedded.lock import hold
from newsletter.errors import ConflictError

HOLDER = """
import subprocess, sys
from pathlib import Path
from newsletter.embedded.lock import hold
with hold(Path(sys.argv[1])):
    child = subprocess.Popen(["sleep", "60"])
    print(child.pid, flush=True)
    child.wait()
"""


def test_a_second_run_on_the_same_directory_is_told_who_has_it(tmp_path: Path) -> None:
    told = f"another `newsletter up` or `newsletter demo` is running on {tmp_path} (pid {os.getpid()}): stop it first"
    with hold(tmp_path), pytest.raises(ConflictError, match=f"^{re.escape(told)}$"), hold(tmp_path):
        pass


def test_a_directory_given_back_can_be_held_again(tmp_path: Path) -> None:
    for _ in range(2):
        with hold(tmp_path):
            assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_two_directories_can_be_held_at_once(tmp_path: Path) -> None:
    with hold(tmp_path / "one"), hold(tmp_path / "two"):
        pass


def test_a_missing_directory_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    with hold(tmp_path / "deep" / "data"):
        assert (tmp_path / "deep" / "data").stat().st_mode & 0o777 == 0o700


def test_a_killed_holder_gives_the_directory_back_though_its_children_live(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        try:
            with pytest.raises(ConflictError, match=f"pid {holder.pid}"), hold(tmp_path):
                pass
            holder.kill()
            holder.wait()
            with hold(tmp_path):
                pass
        finally:
            os.kill(child, 9)
