"""A real IMAP and POP3 server for tests: Dovecot, if this machine has it, on folders that are thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from base64 import b64encode
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from newsletter.embedded.processes import dies_with_parent
from tests.servers.postgres import free_port
from tests.servers.tls import Authority

COMMAND = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
MISSING = "there is no Dovecot: apt-get install dovecot-imapd dovecot-pop3d"
HOST = "127.0.0.1"
SECONDS_TO_START = 10.0

CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap pop3
listen = {host}
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
disable_plaintext_auth = no
auth_mechanisms = plain
auth_failure_delay = 0
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{certificate}
mail_location = maildir:{folder}/mail/%u
maildir_stat_dirs = yes
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = passwd-file
  args = {folder}/users/%u
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/home/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
"""


@dataclass(frozen=True, slots=True)
class Maildir:
    """Somebody's mailbox as it lies on the disk, and how to get at it."""

    server: DovecotServer
    user: str
    password: str

    def url(self, scheme: str = "imap", folder: str = "", options: str = "", password: str | None = None) -> str:
        """Where it is, over `imap`, `imaps`, `pop3` or `pop3s`."""
        secret = quote(self.password if password is None else password, safe="")
        place = f"/{quote(folder, safe='')}" if folder else ""
        return f"{scheme}://{self.user}:{secret}@{HOST}:{self.server.ports[scheme]}{place}{options}"

    def add(self, *messages: bytes, folder: str = "") -> list[Path]:
        """Deliver messages; where each lies until somebody looks at the mailbox."""
        new = self._folder(folder) / "new"
        paths = [new / f"{next(_NUMBERS):06}.test" for _ in messages]
        for path, message in zip(paths, messages, strict=True):
            path.write_bytes(message)
            shutil.chown(path, self.server.user)
        return paths

    def messages(self, folder: str = "") -> list[bytes]:
        """What is there, as it was delivered."""
        return [path.read_bytes() for path in self.files(folder)]

    def files(self, folder: str = "") -> list[Path]:
        """Where that lies, in the order in which it came."""
        return sorted((*self._folder(folder).glob("new/*"), *self._folder(folder).glob("cur/*")))

    def _folder(self, name: str) -> Path:
        home = self.server.folder / "mail" / self.user
        made = home / f".{name}" if name else home
        for path in (home, made, *(made / part for part in ("cur", "new", "tmp"))):
            path.mkdir(parents=True, exist_ok=True)
            shutil.chown(path, self.server.user)
        return made


_NUMBERS = count(1)


class DovecotServer:
    """Runs for as long as the `with` block lasts, as `nobody` where tests run as root; certified as `HOST`."""

    def __enter__(self) -> Self:
        assert COMMAND, MISSING
        self.folder = Path(tempfile.mkdtemp(prefix="newsletter-dovecot-", dir="/tmp"))
        self.folder.chmod(0o755)
        owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
        self.user = owner.pw_name
        self.authority = Authority(self.folder)
        self.ports = {scheme: free_port(HOST) for scheme in ("imap", "imaps", "pop3", "pop3s")}
        for name in ("mail", "home", "state", "users"):
            (self.folder / name).mkdir()
        config = CONFIG.format(
            folder=self.folder,
            host=HOST,
            user=self.user,
            group=subprocess.run(["id", "-gn", self.user], capture_output=True, text=True, check=True).stdout.strip(),
            certificate=self.authority.issue(HOST),
            **self.ports,
        )
        (self.folder / "dovecot.conf").write_text(config)
        for path in (self.folder, *self.folder.iterdir()):
            shutil.chown(path, self.user)
        as_owner: dict[str, Any] = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        with (self.folder / "errors").open("wb") as errors:
            self._process = subprocess.Popen(
                [COMMAND, "-F", "-c", self.folder / "dovecot.conf"],
                preexec_fn=dies_with_parent(),
                stdout=subprocess.DEVNULL,
                stderr=errors,
                **(as_owner if os.geteuid() == 0 else {}),
            )
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def mailbox(self, password: str = "s3cret") -> Maildir:
        """An empty one, of a user of its own."""
        user = f"bounces{next(_NUMBERS)}"
        # A file each: one that has changed twice within a second is not read again.
        secret = b64encode(password.encode()).decode()
        (self.folder / "users" / user).write_text(f"{user}:{{PLAIN.b64}}{secret}\n")
        return Maildir(self, user, password)

    def _wait(self) -> None:
        give_up_at = time.monotonic() + SECONDS_TO_START
        for port in self.ports.values():
            while True:
                try:
                    socket.create_connection((HOST, port), 5).close()
                    break
                except ConnectionRefusedError:
                    if self._process.poll() is not None or time.monotonic() > give_up_at:
                        raise RuntimeError(f"Dovecot did not start: {self._log()}") from None
                    time.sleep(0.05)

    def _log(self) -> str:
        return "".join(path.read_text() for name in ("errors", "log") if (path := self.folder / name).exists())
