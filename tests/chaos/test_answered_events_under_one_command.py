from __future__ import annotations

import os
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
from tests.paths.steps import wait_until
from tests.servers.postgres import free_port

pytestmark = pytest.mark.timeout(600)

ANSWERS = 100
STOP_SECONDS = 20.0
# A word of the command line of each part.
PARTS = {"web": b"newsletter.web.serve", "worker": b"celery", "valkey": b"valkey-server"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Everything embedded, below one folder."""
    return load_settings(
        data_dir=tmp_path / "data", web_host=HOST, web_port=free_port(HOST), base_url=BASE_URL, secret_key=SECRET
    )


@pytest.fixture
def up(settings: Settings, tmp_path: Path) -> Iterator[Process]:
    """`newsletter up`, which starts again what ends."""
    environment = {
        f"{PREFIX}DATA_DIR": str(settings.data_dir),
        f"{PREFIX}WEB_PORT": str(settings.web_port),
        f"{PREFIX}BASE_URL": BASE_URL,
        f"{PREFIX}SECRET_KEY": SECRET,
    }
    process = Process(Command("up", (sys.executable, "-m", "newsletter", "up"), environment, tmp_path / "up.log"))
    process.start()
    try:
        wait_until(lambda: healthy(settings.web_port), "everything to be up", 60)
        yield process
    finally:
        process.stop(STOP_SECONDS)


def child(up: Process, part: str) -> int | None:
    """The process of a part; None while there is none."""
    children = Path(f"/proc/{up.pid}/task/{up.pid}/children").read_text().split()
    for pid in children:
        with suppress(OSError):
            if PARTS[part] in Path(f"/proc/{pid}/cmdline").read_bytes():
                return int(pid)
    return None


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
                killed = child(up, part)
                if killed is not None:
                    os.kill(killed, signal.SIGKILL)
            storm.wait_for_more(ANSWERS)
        assert storm.readers.diary.refused == set()
        storm.drain()
        storm.prove()
    for part in PARTS:
        assert f"{part} ended (signal SIGKILL), starting again" in "".join(up.tail(50))
