from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from newsletter.embedded.processes import Command, Process
from newsletter.embedded.supervisor import Ended, Supervisor
from tests.factories import SECRET
from tests.servers.worker import CELERY

ARGUMENTS = (*CELERY, "worker", "--pool", "solo", "--loglevel", "INFO", "--without-gossip", "--without-mingle")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """That of a worker whose journals cannot be kept, since a file has their folder's name."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "journals").write_text("in the way", encoding="utf-8")
    return {"NEWSLETTER_DATA_DIR": str(data), "NEWSLETTER_SECRET_KEY": SECRET}


def expected(tmp_path: Path) -> str:
    return (
        f"{tmp_path}/data/journals: a worker cannot keep its journal there (file exists): "
        "let it write there, or set data_dir to a folder where it may"
    )


def test_a_worker_that_cannot_keep_a_journal_says_so_in_one_line_and_does_not_start(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    started = subprocess.run(
        ARGUMENTS, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False
    )
    assert started.returncode == 1
    assert started.stderr.splitlines()[-1] == expected(tmp_path)
    assert "Traceback" not in started.stderr


def test_the_supervisor_of_such_a_worker_shows_why_it_ended(tmp_path: Path, environment: dict[str, str]) -> None:
    supervisor = Supervisor([Process(Command("worker", ARGUMENTS, environment, tmp_path / "worker.log"))])
    supervisor.start_all()
    give_up_at = time.monotonic() + 60
    while not (changes := supervisor.watch_once()):
        assert time.monotonic() < give_up_at
        time.sleep(0.1)
    supervisor.stop_all(5)
    [ended] = changes
    assert isinstance(ended, Ended)
    assert (ended.how, ended.last_line) == ("status 1", expected(tmp_path))
