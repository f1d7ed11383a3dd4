"""Events into SQL, judged and counted, and a report on them: `python -m tests.bench.stats [--quick]`.

A million events (quick: 200,000) of a mailing to a quarter as many readers, in the portions that the task takes, by
one process; beside it, the same rows put into the same tables of another database in the same portions, and nothing
done with them. By turns with it, so that whatever else the machine does meets both.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from statistics import median

from sqlalchemy import func, insert, literal, select, text
from sqlalchemy.orm import Session

from newsletter.db import Database
from newsletter.models import Batch, Delivery, DeliveryState, Event, EventKind, Mailing, MailingStatus, Subscriber
from newsletter.models.ledger import new_salt
from newsletter.models.schema import upgrade
from newsletter.stats.report import report as mailing_report
from newsletter.tracking.buffer import FLUSH_SIZE, Noted
from newsletter.tracking.flush import flush
from tests.bench.figures import Figure, report
from tests.bench.processes import cpu_seconds
from tests.factories import NOW, make_mailing
from tests.servers.postgres import PostgresServer
from tests.unit.tracking.simulation import APPLE, CHROME, FIREFOX, GMAIL, IPHONE

EVENTS, QUICK_EVENTS = 1_000_000, 200_000
EVENTS_A_READER, LINKS = 4, 18
# At as many events a second as the tracking endpoint can note, one of two cores is enough.
CPU_BAR = 1e6 / 7_000
SHARE_BAR = 0.2
REPORT_BAR = 0.05
ROUNDS = 5
DOMAINS = ("gmail.com", "outlook.com", "hotmail.fr", "skynet.be", "maison.example", "bureau.example")
_PORTION = 50_000


@dataclass(slots=True)
class Cost:
    """Seconds by the clock, and CPU seconds of this process and of the server."""

    seconds: float = 0.0
    own: float = 0.0
    server: float = 0.0

    def of(self, call: Callable[[], object], server: int | None) -> None:
        began, own = time.monotonic(), time.process_time()
        before = cpu_seconds(server) if server else 0.0
        call()
        self.seconds += time.monotonic() - began
        self.own += time.process_time() - own
        self.server += (cpu_seconds(server) - before) if server else 0.0


def main(arguments: list[str]) -> None:
    count = QUICK_EVENTS if "--quick" in arguments else EVENTS
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder:
        figures += _measure("sqlite", [f"sqlite:///{folder}/{name}.db" for name in ("ours", "plain")], count, None)
        with PostgresServer(durable=True) as postgres:
            urls = [postgres.create_database() for _ in range(2)]
            figures += _measure("postgresql", urls, count, postgres.pid)
    report(figures)


def _measure(name: str, urls: Sequence[str], count: int, server: int | None) -> Iterator[Figure]:
    with closing(Database(urls[0])) as ours, closing(Database(urls[1])) as plain:
        (mailing_id, first), _ = (_world(one, count // EVENTS_A_READER) for one in (ours, plain))
        flushed, inserted = Cost(), Cost()
        for portion in _portions(mailing_id, first, count):
            flushed.of(lambda: _flush(ours, portion), server)  # noqa: B023
            rows = _rows(ours, portion)
            inserted.of(lambda: _insert(plain, rows), server)  # noqa: B023
        for what, cost in (("flush", flushed), ("insert", inserted)):
            print(
                f"{name} {what}: {count / cost.seconds:,.0f} events/s, CPU an event {cost.own / count * 1e6:.0f} us "
                f"and {cost.server / count * 1e6:.0f} us of the server's",
                flush=True,
            )
        yield Figure(f"{name}_flush_beside_insert", inserted.seconds / flushed.seconds, "times", SHARE_BAR)
        yield Figure(f"{name}_flush_cpu", (flushed.own + flushed.server) / count * 1e6, "us", CPU_BAR, at_most=True)
        yield from _reports(name, ours, mailing_id)


def _reports(name: str, database: Database, mailing_id: int) -> Iterator[Figure]:
    with database.read() as session:
        took = [_seconds(lambda: mailing_report(session, mailing_id)) for _ in range(ROUNDS)]
        raw = [_seconds(lambda: _count_raw(session, mailing_id)) for _ in range(ROUNDS)]
    print(f"{name}: counted from the events in {median(raw):.3f} s")
    yield Figure(f"{name}_report", median(took), "s", REPORT_BAR, at_most=True)


def _count_raw(session: Session, mailing_id: int) -> None:
    """People by kind and verdict, and by link: less than the report tells."""
    reader = func.count(Event.reader.distinct())
    for key in (Event.kind, Event.link_number):
        session.execute(
            select(key, Event.verdict, func.count(), reader)
            .where(Event.mailing_id == mailing_id)
            .group_by(key, Event.verdict)
        ).all()


def _seconds(call: Callable[[], object]) -> float:
    began = time.monotonic()
    call()
    return time.monotonic() - began


def _flush(database: Database, portion: Sequence[Noted]) -> None:
    with database.write() as session:
        flush(session, portion)


def _rows(database: Database, portion: Sequence[Noted]) -> list[dict[str, object]]:
    columns = [column for column in Event.__table__.c if column.name != "id"]
    with database.read() as session:
        found = session.execute(select(*columns).where(Event.source.in_([event.id for event in portion])))
        return [dict(row) for row in found.mappings()]


def _insert(database: Database, rows: Sequence[dict[str, object]]) -> None:
    with database.write() as session:
        session.execute(insert(Event), rows)


def _world(database: Database, readers: int) -> tuple[int, int]:
    """A mailing that so many people have, and the number of its first delivery."""
    upgrade(database)
    mailing_id = make_mailing(database, ["first@example.org"])
    with database.write() as session:
        for start in range(0, readers, _PORTION):
            numbers = range(start, min(start + _PORTION, readers))
            people = [
                {"email": f"r{number}@{DOMAINS[number % len(DOMAINS)]}", "created_at": NOW} for number in numbers
            ]
            session.execute(insert(Subscriber), people)
        values = (literal(DeliveryState.SENT.value), literal(1), literal(NOW, Delivery.settled_at.type), new_salt())
        session.execute(
            insert(Delivery).from_select(
                ["mailing_id", "subscriber_id", "email", "state", "attempts", "settled_at", "salt"],
                select(literal(mailing_id), Subscriber.id, Subscriber.email, *values).where(
                    Subscriber.email.like("r%")
                ),
            )
        )
        first, last = session.execute(
            select(func.min(Delivery.id), func.max(Delivery.id)).where(Delivery.email.like("r%"))
        ).one()
        session.add(Batch(mailing_id=mailing_id, first_id=first, last_id=last, size=readers))
        mailing = session.get_one(Mailing, mailing_id)
        mailing.status, mailing.audience_size = MailingStatus.SENT, readers
    with database.write() as session:
        session.execute(text("ANALYZE"))
    return mailing_id, first


def _portions(mailing_id: int, first: int, count: int) -> Iterator[list[Noted]]:
    """What readers do over a day, the most of it in the first hours."""
    random = Random(1)
    agents = [form.format(version) for form in (CHROME, FIREFOX, IPHONE) for version in range(90, 130)]
    at = int((NOW + timedelta(seconds=30)).timestamp() * 1000)
    portion: list[Noted] = []
    for number in range(count):
        at += random.randrange(1, 160)
        kind = random.choices((EventKind.OPEN, EventKind.CLICK), (6, 4))[0]
        link = random.randrange(1, LINKS + 1) if kind is EventKind.CLICK else None
        agent = random.choices((random.choice(agents), GMAIL, APPLE), (5, 3, 2))[0]
        delivery_id = first + random.randrange(count // EVENTS_A_READER)
        ip = f"81.{random.randrange(256)}.{random.randrange(256)}.{random.randrange(1, 255)}"
        portion.append(Noted(f"{at}-{number % 3}", kind, mailing_id, delivery_id, link, agent, ip, "GET"))
        if len(portion) == FLUSH_SIZE:
            yield portion
            portion = []


if __name__ == "__main__":
    main(sys.argv[1:])
