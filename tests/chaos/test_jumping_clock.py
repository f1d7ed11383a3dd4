from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from tests.chaos.scene import Scene

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
AN_HOUR = timedelta(hours=1)

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(LIBRARY is None, reason="libfaketime is missing; on Debian: apt-get install libfaketime"),
]


# Python sleeps by a call that the library breaks where it leaves the monotonic clock alone.
SLEEP = """
import select
import time

time.sleep = lambda seconds: select.select([], [], [], seconds)
"""


class Clock:
    """A clock of their own for workers, which may be set at any time; what measures seconds goes on as it did."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(SLEEP)
        self._ahead = folder / "ahead"
        self.set(timedelta())
        self.environment = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._ahead),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH")))),
        }

    def set(self, ahead: timedelta) -> None:
        """So far ahead of the true time."""
        draft = self._ahead.with_suffix(".new")
        draft.write_text(f"{ahead.total_seconds():+.0f}\n")
        draft.rename(self._ahead)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path / "clock")


@pytest.mark.short_on("sqlite", "postgresql")
def test_a_clock_that_jumps_an_hour_ahead_and_back_leaves_nobody_in_doubt(
    scene: Scene, clock: Clock, random: Random
) -> None:
    with scene.worker(clock.environment):
        for ahead in (AN_HOUR, timedelta(), -AN_HOUR, timedelta()):
            scene.wait_for_more()
            time.sleep(random.uniform(0.0, 0.5))
            clock.set(ahead)
        scene.finish()
    scene.prove(doubts=0)


@pytest.mark.short_on("postgresql")
@pytest.mark.parametrize(
    "ahead", [AN_HOUR, pytest.param(-AN_HOUR, marks=pytest.mark.whole_only)], ids=["ahead", "behind"]
)
def test_a_worker_whose_clock_is_an_hour_off_does_what_beat_tells_it(
    scene: Scene, clock: Clock, ahead: timedelta
) -> None:
    clock.set(ahead)
    with scene.beat(), scene.worker(clock.environment, beat=False):
        scene.finish()
    scene.prove(doubts=0)
