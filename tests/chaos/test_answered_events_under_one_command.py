from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from newsletter.config import Settings, load_settings
from newsletter.embedded.processes import Command, Process
from newsletter.settings_sources import PREFIX
from tests.chaos.conftest import Form
from tests.chaos.readers import HOST
from tests.chaos.storm import Storm, healthy
from tests.factories import BASE_URL, SECRET
from tests.paths.steps import newsletter, wait_until
from tests.servers.postgres import free_port

pytestmark = pytest.mark.timeout(600)

ANSWERS = 100
STOP_SECONDS = 20.0
LOSSES = re.compile(r"mailing \d+: ([\d,]+) events? w")
# A word of the command line of each part.
PARTS = {"web": b"newsletter.web.serve", "worker": b"celery", "valkey": b"valkey-server"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Everything embedded, below one folder."""
    values = {
        "DATA_DIR": str(tmp_path / "data"),
        "WEB_PORT": str(free_port(HOST)),
        "BASE_URL": BASE_URL,
        "SECRET_KEY": SECRET,
    }
    for name, value in values.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    return load_settings()


@pytest.fixture
def up(settings: Settings, tmp_path: Path) -> Iterator[Process]:
    """`newsletter up`, which starts again what ends."""
    process = Process(Command("up", (sys.executable, "-m", "newsletter", "up"), {}, tmp_path / "up.log"))
    process.start()
    try:
        wait_until(lambda: healthy(settings.web_port), "everything to be up", 60)
        yield process
    finally:
        process.stop(STOP_SECONDS)


def kill(up: Process, part: str) -> None:
    """Kill a part as soon as it runs."""
    wait_until(lambda: child(up, part) is not None, f"{part} to run")
    os.kill(child(up, part) or 0, signal.SIGKILL)


def child(up: Process, part: str) -> int | None:
    """The process of a part; None while there is none."""
    children = Path(f"/proc/{up.pid}/task/{up.pid}/children").read_text().split()
    for pid in children:
        with suppress(OSError):
            if PARTS[part] in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
    return None


def told_by(up: Process) -> int:
    """How many losses the command told while it ran."""
    return sum(int(count.replace(",", "")) for count in LOSSES.findall("\n".join(up.tail(50))))


def test_what_is_killed_is_started_again_and_what_was_answered_meanwhile_is_kept_once_or_counted_as_lost(
    up: Process, settings: Settings, form: Form, random: Random
) -> None:
    parts = [*PARTS] * (form.times - 1)
    random.shuffle(parts)
    with Storm(settings, form.recipients, random, port=settings.web_port) as storm:
        with storm.readers:
            for part in parts:
                storm.wait_for_more(ANSWERS)
                time.sleep(random.uniform(0.0, 0.5))
                kill(up, part)
            storm.wait_for_more(ANSWERS)
            # One that ends again and again is left alone for longer than readers wait.
            for _ in range(2):
                kill(up, "valkey")
                storm.wait_for_more(ANSWERS)
        assert storm.readers.diary.refused == set()
        storm.drain()
        lost = storm.prove()[storm.mailing_id]
        assert lost > 0
        told = f"{lost:,} events were answered but could not be kept (the buffer was away)"
        assert told in newsletter("stats", str(storm.mailing_id))
    wait_until(lambda: told_by(up) == lost, f"{lost} losses to be told", 10)
    for part in PARTS:
        assert f"{part} ended (signal SIGKILL), starting again" in "".join(up.tail(50))
