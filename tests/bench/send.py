"""`make bench-send`: a mailing through the whole engine, beside `smtp-source` and beside the naive way.

PostgreSQL (durable, as it comes), Valkey, two worker processes, Postfix's `smtp-sink` on loopback. Every delivery is
claimed and settled in SQL. Needs `smtp-sink` and `smtp-source` (Debian: postfix).
"""

from __future__ import annotations

import shutil
import smtplib
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import select, text

from newsletter import queue
from newsletter.clock import utc_now
from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.demo.run import free_port
from newsletter.models import Mailing, MailingStatus
from newsletter.models.schema import upgrade
from newsletter.queue import Queue
from newsletter.rendering.content import Content
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.builders import load_builder
from newsletter.sending.message import Addressee
from newsletter.sending.plan import plan
from newsletter.sending.receipt import make_receipt
from newsletter.sending.submit import submit
from newsletter.tracking.tokens import Tokens
from tests.bench.figures import Figure, report
from tests.bench.processes import cpu_seconds, resident_bytes
from tests.bench.render import naive_messages
from tests.factories import BASE_URL, SECRET, make_list
from tests.servers.postgres import PostgresServer
from tests.servers.valkey import ValkeyServer
from tests.servers.worker import Worker

RECIPIENTS, QUICK_RECIPIENTS = 100_000, 20_000
NAIVE_MESSAGES = 400
SECTIONS, LINKS = 5, 20
PROCESSES = 2
BACKLOG = "1024"
SOURCE_SESSIONS = "4"
POLL_SECONDS = 0.1
LIST = "vendredi"

_SUBSCRIBERS = """
    INSERT INTO subscribers (email, first_name, last_name, attributes, created_at)
    SELECT 'reader' || n || '@example.org', 'Prénom' || n % 97, 'Nom', '{"ville": "Liège"}', now()
    FROM generate_series(1, :count) AS n
"""
_SUBSCRIPTIONS = """
    INSERT INTO subscriptions (list_id, subscriber_id, status, consent, subscribed_at)
    SELECT :list_id, id, 'active', 'benchmark', now() FROM subscribers
"""


def main(arguments: list[str]) -> None:
    count = QUICK_RECIPIENTS if "--quick" in arguments else RECIPIENTS
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsletter-bench-")))
        postgres = stack.enter_context(PostgresServer(durable=True))
        valkey = stack.enter_context(ValkeyServer())
        port = free_port()
        stack.enter_context(_sink(port))
        environment = {
            "NEWSLETTER_DATA_DIR": str(folder),
            "NEWSLETTER_DATABASE_URL": postgres.create_database(),
            "NEWSLETTER_BROKER_URL": valkey.url,
            "NEWSLETTER_SMTP_URL": f"smtp://127.0.0.1:{port}",
            "NEWSLETTER_BASE_URL": BASE_URL,
            "NEWSLETTER_SECRET_KEY": SECRET,
        }
        settings = load_settings(
            **{key.removeprefix("NEWSLETTER_").lower(): value for key, value in environment.items()}
        )
        database = Database(settings.database)
        mailing_id = _prepare(database, folder, count)
        size, content = _one_message(database, mailing_id)
        worker = stack.enter_context(Worker(folder, environment))

        seconds, worker_cpu, postgres_cpu = _send(database, settings, mailing_id, worker, postgres)
        resident = resident_bytes(_pid(worker))
        with database.read() as session:
            receipt = make_receipt(session, mailing_id)
        print(f"{count:,} messages of {size:,} bytes: {receipt.outcomes}")
        rate = count / seconds
        source = _source(port, size, min(count, QUICK_RECIPIENTS))
        naive = _naive(port, content)
        print(f"{rate:,.0f} messages/s; smtp-source {source:,.0f}; the naive way {naive:,.0f}")
        database.close()
    report(
        [
            Figure("rate_beside_smtp_source", rate / source, "times", 0.7),
            Figure("rate_beside_naive", rate / naive, "times", 8),
            Figure("worker_cpu", worker_cpu / count * 1e3, "ms a message", 0.17, at_most=True),
            Figure("postgresql_cpu", postgres_cpu / count * 1e3, "ms a message", 0.10, at_most=True),
            Figure("worker_resident", resident / 1e6, "MB", 150, at_most=True),
        ]
    )


@contextmanager
def _sink(port: int) -> Iterator[None]:
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        sys.exit("bench-send: smtp-sink is missing; on Debian: apt-get install postfix")
    process = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", BACKLOG], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _prepare(database: Database, folder: Path, count: int) -> int:
    """A scheduled mailing to that many people."""
    upgrade(database)
    now = utc_now()
    with database.write() as session:
        list_id = make_list(session, slug=LIST).id
        session.execute(text(_SUBSCRIBERS), {"count": count})
        session.execute(text(_SUBSCRIPTIONS), {"list_id": list_id})
    with database.write() as session:
        session.connection().exec_driver_sql("ANALYZE")
        return submit(session, _issue(folder), LIST, base_url=BASE_URL, due_at=now, now=now).mailing.id


def _issue(folder: Path) -> Path:
    """The sample's first sections, with as many links as the bar asks for."""
    sections = SAMPLE_ISSUE.read_text(encoding="utf-8").split("\n## ")[: SECTIONS + 1]
    source = "\n## ".join(sections)
    links = "".join(f"- [Lien {n}](https://example.org/{n})\n" for n in range(source.count("](https://"), LINKS))
    path = folder / "issue.md"
    shutil.copytree(SAMPLE_ISSUE.parent / "images", folder / "images")
    path.write_text(f"{source}\n## Liens\n\n{links}", encoding="utf-8")
    return path


def _one_message(database: Database, mailing_id: int) -> tuple[int, Content]:
    with database.read() as session:
        builder = load_builder(session, mailing_id, BASE_URL, Tokens.of(SECRET.encode()))
        mailing = session.get_one(Mailing, mailing_id)
        content = Content.from_json(mailing.content)
    data = builder.build(Addressee(1, "reader1@example.org", "Prénom1", "Nom", {}), utc_now()).data
    return len(data), content


def _send(
    database: Database, settings: Settings, mailing_id: int, worker: Worker, postgres: PostgresServer
) -> tuple[float, float, float]:
    """Seconds from the first batch to the mailing's end, and the CPU seconds of workers and PostgreSQL in between."""
    tasks = Queue(settings)
    began = time.monotonic()
    with database.write() as session:
        assert plan(session, mailing_id, utc_now())
    print(f"planned in {time.monotonic() - began:.1f} s")
    before = cpu_seconds(_pid(worker)), cpu_seconds(postgres.pid)
    began = time.monotonic()
    for _ in range(PROCESSES):
        tasks.put(queue.DELIVER)
    while True:
        with database.read() as session:
            if session.scalar(select(Mailing.status).where(Mailing.id == mailing_id)) is MailingStatus.SENT:
                break
        time.sleep(POLL_SECONDS)
    seconds = time.monotonic() - began
    tasks.close()
    return seconds, cpu_seconds(_pid(worker)) - before[0], cpu_seconds(postgres.pid) - before[1]


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


def _pid(worker: Worker) -> int:
    assert worker.process.pid is not None
    return worker.process.pid


if __name__ == "__main__":
    main(sys.argv[1:])
