"""`make bench-send`: a mailing through the whole engine, beside `smtp-source` and beside the naive way.

Every delivery is planned, claimed and settled in SQL. Needs `smtp-sink` and `smtp-source` (Debian: postfix).
"""

from __future__ import annotations

import shutil
import smtplib
import subprocess
import sys
import time

from newsletter.clock import utc_now
from newsletter.models import Mailing
from newsletter.rendering.content import Content
from newsletter.sending.builders import load_builder
from newsletter.sending.message import Addressee
from newsletter.sending.receipt import make_receipt
from newsletter.tracking.tokens import Tokens
from tests.bench.figures import Figure, report
from tests.bench.render import naive_messages
from tests.bench.world import World
from tests.factories import BASE_URL, SECRET

RECIPIENTS, QUICK_RECIPIENTS = 100_000, 20_000
NAIVE_MESSAGES = 400
SOURCE_SESSIONS = "4"


def main(arguments: list[str]) -> None:
    count = QUICK_RECIPIENTS if "--quick" in arguments else RECIPIENTS
    with World() as world:
        mailing_id = world.schedule(count)
        size, content = _one_message(world, mailing_id)
        run = world.send(mailing_id)
        peak = world.worker_peak_bytes
        with world.database.read() as session:
            receipt = make_receipt(session, mailing_id)
        print(f"{count:,} messages of {size:,} bytes: {receipt.to_json()['outcomes']}")
        source = _source(world.port, size, min(count, QUICK_RECIPIENTS))
        naive = _naive(world.port, content)
        print(f"{run.rate:,.0f} messages/s; smtp-source {source:,.0f}; the naive way {naive:,.0f}")
    report(
        [
            Figure("rate_beside_smtp_source", run.rate / source, "times", 0.7),
            Figure("rate_beside_naive", run.rate / naive, "times", 8),
            Figure("worker_cpu", run.worker_cpu / count * 1e3, "ms a message", 0.17, at_most=True),
            Figure("postgresql_cpu", run.postgres_cpu / count * 1e3, "ms a message", 0.10, at_most=True),
            Figure("worker_resident", peak / 1e6, "MB", 150, at_most=True),
        ]
    )


def _one_message(world: World, mailing_id: int) -> tuple[int, Content]:
    with world.database.read() as session:
        builder = load_builder(session, mailing_id, BASE_URL, Tokens.of(SECRET.encode()))
        content = Content.from_json(session.get_one(Mailing, mailing_id).content)
    data = builder.build(Addressee(1, "reader1@example.org", "Prénom1", "Nom", {}), utc_now()).data
    return len(data), content


def _source(port: int, size: int, count: int) -> float:
    program = shutil.which("smtp-source", path="/usr/sbin:/usr/bin:/usr/local/sbin") or "smtp-source"
    began = time.monotonic()
    subprocess.run(
        [program, "-s", SOURCE_SESSIONS, "-m", str(count), "-l", str(size), "-f", "a@example.org", "-t",
         "b@example.org", f"127.0.0.1:{port}"],
        check=True,
    )  # fmt: skip
    return count / (time.monotonic() - began)


def _naive(port: int, content: Content) -> float:
    make = naive_messages(content)
    began = time.monotonic()
    with smtplib.SMTP("127.0.0.1", port) as server:
        for number in range(NAIVE_MESSAGES):
            server.send_message(make(Addressee(number, f"reader{number}@example.org", "Prénom", "Nom", {})))
    return NAIVE_MESSAGES / (time.monotonic() - began)


if __name__ == "__main__":
    main(sys.argv[1:])
