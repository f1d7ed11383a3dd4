"""Imports whose process is killed (SIGKILL) in the middle of any of their transactions."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.audience import staging, weighing
from newsletter.audience.imports import resume
from newsletter.audience.undo import undo
from newsletter.db import Database
from newsletter.models import Import
from tests.factories import DIGEST, NOW, make_list
from tests.unit.audience.world import load, people, suppressed, tables

AT_A_TIME = 7
KNOWN = "email,ville,status\n" + "".join(f"r{n:02}@example.org,Mons,subscribed\n" for n in range(0, 30, 2))
FILE = "email,ville,status\n" + "".join(
    f"r{n:02}@example.org,Gand,{'unsubscribed' if n % 5 == 0 else 'subscribed'}\n" for n in range(30)
)
# A process that kills itself in its n-th transaction, before that is committed.
CHILD = """
import os, signal, sys
from contextlib import contextmanager
from newsletter.audience import staging, weighing
from newsletter.audience.undo import undo
from newsletter.db import Database
from tests.factories import DIGEST, NOW
from tests.unit.audience.world import load

url, doing, last, at_a_time = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
staging.ROWS_AT_A_TIME = weighing.CHUNK = at_a_time

class Mortal(Database):
    begun = 0
    @contextmanager
    def write(self):
        self.begun += 1
        with super().write() as session:
            yield session
            session.flush()
            if self.begun == last:
                os.kill(os.getpid(), signal.SIGKILL)

if doing == "undo":
    undo(Mortal(url).write, 2, NOW)
else:
    load(Mortal(url), open(doing, encoding="utf-8").read())
"""


@pytest.fixture(autouse=True)
def _world(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staging, "ROWS_AT_A_TIME", AT_A_TIME)
    monkeypatch.setattr(weighing, "CHUNK", AT_A_TIME)
    with database.write() as session:
        make_list(session)
    load(database, KNOWN)
    Path("killed.csv").write_text(FILE, encoding="utf-8")


def dies(database: Database, doing: str, transaction: int) -> bool:
    """Whether it was killed; else it came to its end before that many transactions."""
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", CHILD, url, doing, str(transaction), str(AT_A_TIME)]
    ended = subprocess.run(command, capture_output=True, timeout=60)
    assert ended.returncode in (0, -signal.SIGKILL), ended.stderr.decode()
    return ended.returncode != 0


def recorded(database: Database) -> bool:
    with database.read() as session:
        return session.get(Import, 2) is not None


@pytest.mark.timeout(300)
@pytest.mark.parametrize("transaction", [1, 2, 4, 7, 8, 10, 12])
def test_killed_anywhere_an_import_is_finished_or_undone(database: Database, transaction: int) -> None:
    before = people(database), suppressed(database)
    assert dies(database, "killed.csv", transaction)
    if not recorded(database):
        assert (transaction, people(database), suppressed(database)) == (1, *before)
        return
    undo(database.write, 2, NOW)
    assert (people(database), suppressed(database), tables(database)) == (*before, [])
    _, whole = load(database, FILE)
    after = people(database), suppressed(database)
    undo(database.write, 3, NOW)
    dies(database, "killed.csv", transaction)
    assert resume(database.write, 4, DIGEST, NOW).facts() == whole.facts()
    assert (people(database), suppressed(database), tables(database)) == (*after, [])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("transaction", [1, 3, 5, 7, 8])
def test_killed_anywhere_an_undo_is_finished(database: Database, transaction: int) -> None:
    before = people(database), suppressed(database)
    load(database, FILE)
    assert dies(database, "undo", transaction)
    undo(database.write, 2, NOW)
    assert (people(database), suppressed(database), tables(database)) == (*before, [])
