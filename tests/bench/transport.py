"""`python -m tests.bench.transport`: handing messages over, beside `smtplib`, and to a server that is far.

To Postfix's `smtp-sink` on loopback (Debian: postfix): CPU time of this process, the kernel's part included; then by
the clock, from two processes as a worker has them, with a round trip of 20 ms and without. Connections are open
beforehand. A connection carries one message a round trip, since one at most may be in doubt: so many connections set
what distance leaves of the rate, and the transport can only use all of them.
"""

from __future__ import annotations

import multiprocessing
import shutil
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Barrier
from statistics import median

from newsletter.mail.courier import Parcel
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.transport import CONNECTIONS, SmtpTransport
from newsletter.smtp_url import SmtpAccount
from tests.bench.figures import Figure, report
from tests.servers.latency import HOST, Relay

SIZE = 25_000
BACKLOG = "1024"
COUNT, QUICK_COUNT = 20_000, 5_000
FAR_COUNT, QUICK_FAR_COUNT = 8_000, 2_000
WARM_UP_COUNT = 1_000
ROUND_TRIP_SECONDS = 0.02
ROUNDS = 5
PROCESSES = 2
READY_SECONDS = 5.0
FAR_SECONDS = 60.0
SMTPLIB_BAR = 4
USE_BAR = 0.75

_LINE = b'<td class=3D"column">Un paragraphe de la lettre, pli=C3=A9 =C3=A0 la ligne=\r\n'
DATA = (b"Subject: 56\r\n\r\n" + _LINE * (SIZE // len(_LINE) + 1))[: SIZE - 2] + b"\r\n"


class _Letters:
    """A courier of so many letters, all of which must arrive."""

    def __init__(self, count: int) -> None:
        self._letters = [
            Parcel(key, Envelope("from@example.org", f"{key}@example.org", DATA)) for key in range(count)
        ]

    def next_parcel(self) -> Parcel | None:
        return self._letters.pop() if self._letters else None

    def leaving(self, slot: int, key: int) -> None:
        """It is not asked what is under way."""

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:  # noqa: ARG002
        if outcome.verdict is not Verdict.SENT:
            raise RuntimeError(outcome.reply)


def main(arguments: list[str]) -> None:
    is_quick = "--quick" in arguments
    with _sink() as port:
        count = (QUICK_COUNT if is_quick else COUNT) // ROUNDS
        # By turns, so that whatever else the machine does meets both.
        rounds = [(_cpu_seconds(port, count), _smtplib_cpu_seconds(port, count // 4)) for _ in range(ROUNDS)]
        ours, theirs = (median(seconds) for seconds in zip(*rounds, strict=True))
        print(f"a message of {len(DATA):,} bytes: {ours * 1e6:.0f} us of CPU; smtplib: {theirs * 1e6:.0f} us")
        count = QUICK_FAR_COUNT if is_quick else FAR_COUNT
        near = _rate(port, count, 0)
        far = _rate(port, count, ROUND_TRIP_SECONDS)
        most = PROCESSES * CONNECTIONS / ROUND_TRIP_SECONDS
        print(f"through a relay: {near:,.0f} messages/s; at 20 ms {far:,.0f} of {most:,.0f} that can be")
    report(
        [
            Figure("transport_beside_smtplib", theirs / ours, "times", SMTPLIB_BAR),
            Figure("connections_used_at_20_ms", far / most, "of all", USE_BAR),
        ]
    )


@contextmanager
def _sink() -> Iterator[int]:
    """The port of an `smtp-sink`."""
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        sys.exit("tests.bench.transport: smtp-sink is missing; on Debian: apt-get install postfix")
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([program, "-u", "nobody", f"{HOST}:{port}", BACKLOG], stderr=subprocess.DEVNULL)
    try:
        give_up_at = time.monotonic() + READY_SECONDS
        with socket.socket() as probe:
            while probe.connect_ex((HOST, port)) and time.monotonic() < give_up_at:
                time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def _cpu_seconds(port: int, count: int) -> float:
    with SmtpTransport(SmtpAccount(HOST, port)) as transport:
        transport.run(_Letters(WARM_UP_COUNT))
        letters = _Letters(count)
        began = time.process_time()
        transport.run(letters)
        return (time.process_time() - began) / count


def _smtplib_cpu_seconds(port: int, count: int) -> float:
    with smtplib.SMTP(HOST, port) as server:
        server.ehlo()
        began = time.process_time()
        for key in range(count):
            server.sendmail("from@example.org", [f"{key}@example.org"], DATA)
        return (time.process_time() - began) / count


def _rate(port: int, count: int, round_trip: float) -> float:
    """Messages a second over all processes together."""
    context = multiprocessing.get_context("spawn")
    with Relay(port, round_trip / 2) as relay:
        barrier = context.Barrier(PROCESSES + 1)
        senders = [
            context.Process(target=_send, args=(relay.port, count // PROCESSES, barrier)) for _ in range(PROCESSES)
        ]
        for sender in senders:
            sender.start()
        barrier.wait(FAR_SECONDS)
        began = time.monotonic()
        barrier.wait(FAR_SECONDS)
        seconds = time.monotonic() - began
        for sender in senders:
            sender.join()
    return count / seconds


def _send(port: int, count: int, barrier: Barrier) -> None:
    with SmtpTransport(SmtpAccount(HOST, port)) as transport:
        transport.run(_Letters(WARM_UP_COUNT))
        letters = _Letters(count)
        barrier.wait(FAR_SECONDS)
        transport.run(letters)
        barrier.wait(FAR_SECONDS)


if __name__ == "__main__":
    main(sys.argv[1:])
