"""`python -m tests.bench.track`: opens and clicks, beside an application that only says hello, on the same server.

Two processes each, `wrk` (Debian: wrk) with 64 connections on the same machine, Valkey syncing each event to the disk
before it is answered. By turns, so that whatever else the machine does meets all three.
"""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from sqlalchemy import select

from newsletter.db import Database
from newsletter.demo.run import free_port
from newsletter.embedded.processes import Command, Process
from newsletter.models import Delivery
from newsletter.models.schema import upgrade
from newsletter.tracking.tokens import Tokens
from tests.bench.figures import Figure, report
from tests.factories import BASE_URL, SECRET, make_mailing
from tests.servers.valkey import ValkeyServer

HOST = "127.0.0.1"
PROCESSES = 2
CONNECTIONS = 64
SECONDS, QUICK_SECONDS = 10, 4
ROUNDS, QUICK_ROUNDS = 5, 3
SHARE_BAR = 0.6
RATE_BAR = 7_000
P99_BAR = 25.0
_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
READY_SECONDS = 15.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """What `wrk` saw: answers a second, and the milliseconds that 99 of 100 were faster than."""

    rate: float
    p99: float


def main(arguments: list[str]) -> None:
    is_quick = "--quick" in arguments
    if shutil.which("wrk") is None:
        sys.exit("tests.bench.track: wrk is missing; on Debian: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder, ValkeyServer() as valkey:
        environment, opens, clicks = _world(Path(folder), valkey.url)
        with (
            _serving(["tests.bench.serve_hello", str(PROCESSES)], environment, Path(folder)) as hello,
            _serving(["newsletter", "track", "--processes", str(PROCESSES)], environment, Path(folder)) as track,
        ):
            addresses = (f"{hello}/", f"{track}{opens}", f"{track}{clicks}")
            seconds, rounds = (QUICK_SECONDS, QUICK_ROUNDS) if is_quick else (SECONDS, ROUNDS)
            for address in addresses:
                _wrk(address, 1)
            runs = [[_wrk(address, seconds) for address in addresses] for _ in range(rounds)]
    hellos, pixels, redirects = (list(one) for one in zip(*runs, strict=True))
    print(f"hello: {median(run.rate for run in hellos):,.0f} answers/s, p99 {median(r.p99 for r in hellos):.1f} ms")
    report([*_figures("pixel", pixels, hellos), *_figures("redirect", redirects, hellos)])


def _figures(name: str, ours: list[Run], hellos: list[Run]) -> list[Figure]:
    share = median(run.rate / hello.rate for run, hello in zip(ours, hellos, strict=True))
    return [
        Figure(f"{name}_beside_hello", share, "times", SHARE_BAR),
        Figure(f"{name}_rate", median(run.rate for run in ours), "answers/s", RATE_BAR),
        Figure(f"{name}_p99", median(run.p99 for run in ours), "ms", P99_BAR, at_most=True),
    ]


def _world(folder: Path, broker: str) -> tuple[dict[str, str], str, str]:
    """The settings of an installation with one mailing, and the paths of a reader's pixel and of a link."""
    url = f"sqlite:///{folder / 'newsletter.db'}"
    database = Database(url)
    upgrade(database)
    mailing_id = make_mailing(database)
    with database.read() as session:
        delivery_id = session.scalars(select(Delivery.id)).first() or 0
    database.close()
    tokens = Tokens.of(SECRET.encode())
    environment = {
        "NEWSLETTER_DATABASE_URL": url,
        "NEWSLETTER_BROKER_URL": broker,
        "NEWSLETTER_SECRET_KEY": SECRET,
        "NEWSLETTER_BASE_URL": BASE_URL,
        "NEWSLETTER_DATA_DIR": str(folder),
    }
    opens, clicks = tokens.opens.seal(mailing_id, delivery_id), tokens.clicks.seal(mailing_id, delivery_id)
    return environment, f"/o/{opens}.gif", f"/c/{clicks}/1"


@contextmanager
def _serving(module: list[str], environment: dict[str, str], folder: Path) -> Iterator[str]:
    """The address of what a module serves, two processes on one port."""
    port = free_port()
    named = {**environment, "NEWSLETTER_WEB_PORT": str(port)}
    process = Process(Command(module[0], (sys.executable, "-m", *module), named, folder / f"{module[0]}.log"))
    process.start()
    try:
        give_up_at = time.monotonic() + READY_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > give_up_at:
                raise RuntimeError("".join(process.tail(5)))
            time.sleep(0.1)
        yield f"http://{HOST}:{port}"
    finally:
        process.stop(STOP_SECONDS)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _wrk(address: str, seconds: int) -> Run:
    command = ("wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", address)
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"tests.bench.track: {address} was not answered as it should be:\n{said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)\b", said)
    assert rate is not None
    assert p99 is not None
    return Run(float(rate[1]), float(p99[1]) * _UNITS[p99[2]])


if __name__ == "__main__":
    main(sys.argv[1:])
