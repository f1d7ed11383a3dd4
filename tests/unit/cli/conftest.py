"""The command, run in this process (quick) or in one of its own (where that matters)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine

from newsletter.cli.main import main
from newsletter.db import Database
from newsletter.models.schema import upgrade
from newsletter.settings_sources import PREFIX
from tests.factories import NOW, make_list, make_publication, subscribe
from tests.servers.smtp import SmtpServer
from tests.unit.sending.conftest import Post, make_account

# Tables of the tools: which migration there was, which numbers were given.
_OWN = ("alembic_version", "sqlite_sequence")
LATER = "2090-01-06T08:00"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line a person gets who did something wrong."""
        assert self.status == 2, f"exit status {self.status}: {self.out}{self.err}"
        assert "Traceback" not in self.err + self.out
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        assert lines[0].startswith("newsletter: "), self.err
        assert "a fault of ours" not in lines[0]
        return lines[0].removeprefix("newsletter: ")

    @property
    def success(self) -> str:
        """What was printed by a command that found nothing wrong."""
        assert self.status == 0, f"exit status {self.status}: {self.out}{self.err}"
        assert self.err == ""
        return self.out


class Cli:
    """`newsletter …` in `folder`, the current one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capfd = capfd

    def __call__(self, *arguments: str | Path, **settings: str) -> Ran:
        """Run it in this process; `settings` without their prefix, in lower case."""
        self._capfd.readouterr()
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["newsletter", *map(str, arguments)])
            for name, value in settings.items():
                patch.setenv(f"{PREFIX}{name}".upper(), value)
            with pytest.raises(SystemExit) as ended:
                main()
        out, err = self._capfd.readouterr()
        status = ended.value.code or 0
        assert isinstance(status, int)
        return Ran(status, out, err)

    def process(self, *arguments: str | Path, **settings: str) -> Ran:
        """Run it as `python -m newsletter`, from the outside."""
        given = {f"{PREFIX}{name}".upper(): value for name, value in settings.items()}
        command = [sys.executable, "-m", "newsletter", *map(str, arguments)]
        done = subprocess.run(command, cwd=self.folder, env=os.environ | given, capture_output=True, timeout=60)
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def write(self, name: str, content: str | bytes) -> Path:
        """A file in the folder; its path as a person would type it."""
        (self.folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return Path(name)

    @property
    def database(self) -> Path:
        return self.folder / "newsletter-data" / "newsletter.db"

    def files(self) -> dict[str, bytes]:
        """Every file but the database's own."""
        found = {str(path.relative_to(self.folder)): path for path in self.folder.rglob("*") if path.is_file()}
        return {name: path.read_bytes() for name, path in found.items() if not name.startswith("newsletter-data/")}

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything in the embedded database, by table; tables with nothing in them are left out."""
        if not self.database.exists():
            return {}
        with closing(sqlite3.connect(self.database)) as connection:
            names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
            rows = {name: connection.execute(f'SELECT * FROM "{name}" ORDER BY 1').fetchall() for (name,) in names}
        return {name: found for name, found in rows.items() if found and name not in _OWN}

    def refused(self, *arguments: str | Path, **settings: str) -> str:
        """Run a command that must fail: its complaint, once it is certain that it changed nothing."""
        before = self.files(), self.rows()
        complaint = self(*arguments, **settings).complaint
        assert (self.files(), self.rows()) == before, "something was half done"
        return complaint


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    return Cli(tmp_path, monkeypatch, capfd)


@pytest.fixture(scope="session")
def world_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database to copy: a publication with the list “vendredi”, Ada on it, and the list “vide”."""
    path = tmp_path_factory.mktemp("world") / "newsletter.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    with database.write() as session:
        publication = make_publication(session)
        subscribe(session, make_list(session, publication, "vendredi"), "ada@example.org", "Ada")
        make_list(session, publication, "vide")
    database.close()
    return path


@pytest.fixture
def world(cli: Cli, world_file: Path) -> Iterator[Database]:
    """The embedded database, with the publication “hebdo”, Ada on the list “vendredi”, and nobody on “vide”."""
    cli.database.parent.mkdir()
    shutil.copy(world_file, cli.database)
    database = Database(f"sqlite:///{cli.database}")
    yield database
    database.close()


@pytest.fixture
def post(world: Database, smtp: SmtpServer) -> Iterator[Post]:
    """A worker of the embedded database that sends to `smtp`."""
    made = Post(world, [make_account(smtp)])
    yield made
    made.close()


@pytest.fixture
def an_hour_later() -> Iterator[None]:
    """The clock shows an hour after `NOW`, at which mailings of the factories are due."""
    with time_machine.travel(NOW + timedelta(hours=1)):
        yield
