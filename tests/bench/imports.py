"""Imports against a row-by-row upsert through the ORM: `python -m tests.bench.imports [--quick]`.

A million rows (quick: 50,000) of address, name and three attributes, end to end: read, checked, staged, put in, with
consent and whatever undoing needs. Once into an empty list, and once into the full one with one row in ten changed.
"""

from __future__ import annotations

import csv
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.audience.files.source import open_source
from newsletter.audience.imports import run, stage
from newsletter.audience.jobs import Options
from newsletter.audience.lists import get_list
from newsletter.clock import utc_now
from newsletter.db import Database
from newsletter.models import Subscriber, Subscription, SubscriptionStatus
from newsletter.models.schema import upgrade
from tests.bench.figures import Figure, report
from tests.bench.processes import cpu_seconds, peak_bytes
from tests.factories import DIGEST, make_list
from tests.servers.postgres import PostgresServer

ROWS, QUICK_ROWS = 1_000_000, 50_000
BY_ORM = 5_000
TIMES_THE_ORM = 12
RESIDENT_MB = 300
RATES = {"sqlite": 60_000, "postgresql": 40_000}
CHANGED_ONE_IN = 10
HEADER = ("email", "first_name", "city", "region", "score")


@dataclass(frozen=True, slots=True)
class Run:
    """One import, in a process of its own: seconds by the clock, its CPU seconds, the most it had resident."""

    rows: int
    seconds: float
    cpu: float
    peak: int

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def main(arguments: list[str]) -> None:
    rows = QUICK_ROWS if "--quick" in arguments else ROWS
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder, PostgresServer(durable=True) as postgres:
        first, second = Path(folder, "first.csv"), Path(folder, "second.csv")
        _write(first, rows, changed=False)
        _write(second, rows, changed=True)
        for name, url in (("sqlite", f"sqlite:///{folder}/bench.db"), ("postgresql", postgres.create_database())):
            figures += _measure(name, url, first, second)
    report(figures)


def _measure(name: str, url: str, first: Path, second: Path) -> Iterator[Figure]:
    with closing(Database(url)) as database:
        upgrade(database)
        with database.write() as session:
            make_list(session)
        by_orm = _rate_by_orm(database, first)
    print(f"{name}: a row-by-row upsert through the ORM, {by_orm:,.0f} rows/s", flush=True)
    for what, path in (("empty", first), ("full", second)):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            measured = pool.submit(_import, url, path).result()
        print(
            f"{name}: {measured.rows:,} rows into the {what} list, {measured.rate:,.0f} rows/s (aimed at "
            f"{RATES[name]:,}), {measured.cpu / measured.rows * 1e6:.1f} us of our CPU a row",
            flush=True,
        )
        yield Figure(f"{name}_{what}_list", measured.rate / by_orm, "times the ORM", TIMES_THE_ORM)
        yield Figure(f"{name}_{what}_resident", measured.peak / 1e6, "MB", RESIDENT_MB, at_most=True)


def _import(url: str, path: Path) -> Run:
    with closing(Database(url)) as database:
        with database.read() as session:
            list_id = get_list(session, "vendredi").id
        before, began = cpu_seconds(os.getpid()), time.monotonic()
        options = Options(consent="signed up at the fair")
        number = stage(database.write, list_id, open_source(path), options, DIGEST, utc_now())
        done = run(database.write, number, utc_now())
        seconds = time.monotonic() - began
        return Run(done.rows, seconds, cpu_seconds(os.getpid()) - before, peak_bytes(os.getpid()))


def _rate_by_orm(database: Database, path: Path) -> float:
    """Rows a second, in one transaction that is rolled back."""
    with path.open(encoding="utf-8", newline="") as file, database.write() as session:
        list_id = get_list(session, "vendredi").id
        rows = list(islice(csv.DictReader(file), BY_ORM))
        began = time.monotonic()
        for row in rows:
            _upsert(session, list_id, row)
        seconds = time.monotonic() - began
        session.rollback()
    return len(rows) / seconds


def _upsert(session: Session, list_id: int, row: dict[str, str]) -> None:
    now = utc_now()
    found = session.scalar(select(Subscriber).where(Subscriber.email == row["email"]))
    if found is None:
        found = Subscriber(email=row["email"], created_at=now)
        session.add(found)
    found.first_name = row["first_name"]
    found.attributes = {name: row[name] for name in HEADER[2:]}
    session.flush()
    known = select(Subscription.id).where(Subscription.list_id == list_id, Subscription.subscriber_id == found.id)
    if session.scalar(known) is None:
        session.add(
            Subscription(
                list_id=list_id,
                subscriber_id=found.id,
                status=SubscriptionStatus.ACTIVE,
                consent="signed up at the fair",
                subscribed_at=now,
            )
        )
        session.flush()


def _write(path: Path, rows: int, *, changed: bool) -> None:
    """People in no order, so that nothing is easier than in life."""
    random = Random(56)
    numbers = list(range(rows))
    random.shuffle(numbers)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for number in numbers:
            city = "Namur" if changed and number % CHANGED_ONE_IN == 0 else ("Liège", "Gand", "Mons")[number % 3]
            domain = "gmail.com" if number % 3 else f"example{number % 500}.org"
            writer.writerow(
                (f"reader.{number:x}@{domain}", ("Zoé", "Max", "Ada")[number % 3], city, "BE", number % 101)
            )


if __name__ == "__main__":
    main(sys.argv[1:])
