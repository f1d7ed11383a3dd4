"""A real Postfix of our own, beside any that the machine has: its own settings, queue, log and port.

It takes root, as Postfix does; tests marked `needs_postfix` are skipped elsewhere. See postconf(5), master(5).
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from newsletter.embedded.processes import Command, Process
from tests.servers.postgres import free_port

# Where a system keeps what only root runs.
PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin"
HOST = "127.0.0.1"
OWNER = "postfix"
SECONDS_TO_START = 20.0
SECONDS_TO_STOP = 10.0

# Tries again within seconds what others do within hours, and asks no DNS.
SETTINGS = """\
compatibility_level = 3.6
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
myhostname = relay.example
mydomain = example
myorigin = $myhostname
alias_maps =
alias_database =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtp_dns_support_level = disabled
smtp_host_lookup = native
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
"""
SERVICES = """\
{place} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
local unix - n n - - local
showq unix n - n - - showq
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


def hindrance() -> str | None:
    """Why no Postfix can run here; None where it can."""
    if shutil.which("postfix", path=PATH) is None:
        return "Postfix is missing; on Debian: apt-get install postfix"
    if os.geteuid() != 0:
        return "Postfix starts only as root"
    return None


needs_postfix = pytest.mark.skipif(hindrance() is not None, reason=hindrance() or "")


class Postfix:
    """Takes mail from this machine on `port` of 127.0.0.1 for as long as the `with` block lasts; nothing is left.

    `settings` are further lines of main.cf.
    """

    def __init__(self, settings: str) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        # /tmp, not pytest's folder: Postfix gives its rights up and must still be able to walk there.
        self._folder = Path(tempfile.mkdtemp(prefix="newsletter-postfix-", dir="/tmp"))
        self._log = self._folder / "log"
        self._process: Process | None = None
        self.port = free_port(HOST)
        try:
            self._process = self._prepare()
            self._process.start()
            self._wait_ready(self._process)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.stop(SECONDS_TO_STOP)
        shutil.rmtree(self._folder)

    @property
    def log(self) -> str:
        """What it did, a line each."""
        return self._log.read_text(encoding="utf-8", errors="replace") if self._log.exists() else ""

    def _prepare(self) -> Process:
        """Its folders and files, and the process; `postfix start` would take that out of our hands."""
        self._folder.chmod(0o755)
        etc, queue, data = (self._folder / name for name in ("etc", "queue", "data"))
        for place in (etc, queue, data):
            place.mkdir()
        owner = pwd.getpwnam(OWNER)
        os.chown(data, owner.pw_uid, owner.pw_gid)
        places = f"queue_directory = {queue}\ndata_directory = {data}\nmaillog_file = {self._log}\n"
        own = f"maillog_file_prefixes = {self._folder}\n"
        (etc / "main.cf").write_text(f"{SETTINGS}{places}{own}{self._settings}", encoding="utf-8")
        (etc / "master.cf").write_text(SERVICES.format(place=f"{HOST}:{self.port}"), encoding="utf-8")
        _run("postfix", "-c", etc, "check")
        master = Path(_run("postconf", "-c", etc, "-h", "daemon_directory").strip(), "master")
        return Process(Command("Postfix", (str(master), "-d", "-c", str(etc)), {}, self._folder / "said"))

    def _wait_ready(self, process: Process) -> None:
        give_up_at = time.monotonic() + SECONDS_TO_START
        while True:
            with suppress(ConnectionRefusedError):
                socket.create_connection((HOST, self.port), timeout=5).close()
                return
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError(f"Postfix did not start:\n{self.log}")
            time.sleep(0.05)


def _run(program: str, *arguments: str | Path) -> str:
    command = [shutil.which(program, path=PATH) or program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{program} failed:\n{done.stdout}{done.stderr}")
    return done.stdout
