"""What mailings are measured in: PostgreSQL (durable), Valkey, two worker processes, Postfix's smtp-sink."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select, text

from newsletter import queue
from newsletter.clock import utc_now
from newsletter.config import load_settings
from newsletter.db import Database
from newsletter.demo.run import free_port
from newsletter.models import Mailing, MailingStatus
from newsletter.models.schema import upgrade
from newsletter.queue import Queue
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.submit import prepare, submit
from tests.bench.processes import cpu_seconds, peak_bytes
from tests.factories import BASE_URL, SECRET, make_list, make_publication
from tests.servers.latency import Relay
from tests.servers.postgres import PostgresServer
from tests.servers.valkey import ValkeyServer
from tests.servers.worker import Worker

# About 18 kB of HTML.
SECTIONS, LINKS = 2, 20
BACKLOG = "1024"
POLL_SECONDS = 0.1

_SUBSCRIBERS = """
    INSERT INTO subscribers (email, first_name, last_name, attributes, created_at)
    SELECT 'reader' || n || '@' || :slug || '.example.org', 'Prénom' || n % 97, 'Nom', '{"ville": "Liège"}', now()
    FROM generate_series(1, :count) AS n
"""
_SUBSCRIPTIONS = """
    INSERT INTO subscriptions (list_id, subscriber_id, status, consent, subscribed_at)
    SELECT :list_id, id, 'active', 'benchmark', now() FROM subscribers WHERE email LIKE :pattern
"""


@dataclass(frozen=True, slots=True)
class Run:
    """What a mailing cost: seconds by the clock to plan and to send it, CPU seconds from its planning to its end."""

    messages: int
    plan_seconds: float
    send_seconds: float
    worker_cpu: float
    postgres_cpu: float

    @property
    def rate(self) -> float:
        """Messages a second."""
        return self.messages / self.send_seconds


class World:
    """All of it running for as long as the `with` block lasts.

    With `relay_seconds`, 0 included, a relay stands before the sink that takes so much longer each way.
    """

    def __init__(self, relay_seconds: float | None = None) -> None:
        self._relay_seconds = relay_seconds

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        with ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="newsletter-bench-")))
            self.postgres = stack.enter_context(PostgresServer(durable=True))
            valkey = stack.enter_context(ValkeyServer())
            self.port = free_port()
            stack.enter_context(_sink(self.port))
            port = self.port
            if self._relay_seconds is not None:
                port = stack.enter_context(Relay(self.port, self._relay_seconds)).port
            environment = {
                "NEWSLETTER_DATA_DIR": str(self.folder),
                "NEWSLETTER_DATABASE_URL": self.postgres.create_database(),
                "NEWSLETTER_BROKER_URL": valkey.url,
                "NEWSLETTER_SMTP_URL": f"smtp://127.0.0.1:{port}",
                "NEWSLETTER_BASE_URL": BASE_URL,
                "NEWSLETTER_SECRET_KEY": SECRET,
            }
            settings = load_settings(
                **{key.removeprefix("NEWSLETTER_").lower(): value for key, value in environment.items()}
            )
            self.database = Database(settings.database)
            stack.callback(self.database.close)
            upgrade(self.database)
            self._queue = Queue(settings)
            stack.callback(self._queue.close)
            self._worker = stack.enter_context(Worker(self.folder, environment))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def schedule(self, count: int) -> int:
        """A scheduled mailing to that many people, with a list of its own; not due before `send`."""
        slug = f"liste-{count}"
        with self.database.write() as session:
            list_id = make_list(session, make_publication(session, slug), slug).id
            session.execute(text(_SUBSCRIBERS), {"count": count, "slug": slug})
            session.execute(text(_SUBSCRIPTIONS), {"list_id": list_id, "pattern": f"%@{slug}.example.org"})
        with self.database.write() as session:
            session.connection().exec_driver_sql("ANALYZE")
            now = utc_now()
            never = now.replace(year=now.year + 50)
            prepared = prepare(session, _issue(self.folder), slug, base_url=BASE_URL)
            return submit(session, prepared, due_at=never, now=now).mailing.id

    def send(self, mailing_id: int) -> Run:
        """Plan and send a mailing to its end."""
        before = cpu_seconds(self.worker_pid), cpu_seconds(self.postgres.pid)
        began = time.monotonic()
        with self.database.write() as session:
            session.get_one(Mailing, mailing_id).due_at = utc_now()
        self._queue.put(queue.PLAN, mailing_id)
        self._wait_for(mailing_id, MailingStatus.SENDING, MailingStatus.SENT)
        planned = time.monotonic()
        self._wait_for(mailing_id, MailingStatus.SENT)
        ended = time.monotonic()
        with self.database.read() as session:
            messages = session.get_one(Mailing, mailing_id).audience_size or 0
        return Run(
            messages=messages,
            plan_seconds=planned - began,
            send_seconds=ended - planned,
            worker_cpu=cpu_seconds(self.worker_pid) - before[0],
            postgres_cpu=cpu_seconds(self.postgres.pid) - before[1],
        )

    @property
    def worker_pid(self) -> int:
        assert self._worker.process.pid is not None
        return self._worker.process.pid

    @property
    def worker_peak_bytes(self) -> int:
        """The most that any of the workers' processes ever had resident."""
        return peak_bytes(self.worker_pid)

    def _wait_for(self, mailing_id: int, *statuses: MailingStatus) -> None:
        while True:
            with self.database.read() as session:
                if session.scalar(select(Mailing.status).where(Mailing.id == mailing_id)) in statuses:
                    return
            time.sleep(POLL_SECONDS)


@contextmanager
def _sink(port: int) -> Iterator[None]:
    program = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if program is None:
        sys.exit("smtp-sink is missing; on Debian: apt-get install postfix")
    process = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", BACKLOG], stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _issue(folder: Path) -> Path:
    """The sample's first sections, with as many links as the bar asks for."""
    sections = SAMPLE_ISSUE.read_text(encoding="utf-8").split("\n## ")[: SECTIONS + 1]
    source = "\n## ".join(sections)
    links = "".join(f"- [Lien {n}](https://example.org/{n})\n" for n in range(source.count("](https://"), LINKS))
    path = folder / "issue.md"
    shutil.copytree(SAMPLE_ISSUE.parent / "images", folder / "images", dirs_exist_ok=True)
    path.write_text(f"{source}\n## Liens\n\n{links}", encoding="utf-8")
    return path
