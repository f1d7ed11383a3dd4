"""Counts and samples of segments: `python -m tests.bench.segments [--quick]`.

A million subscribers (quick: 100,000) on one list, with three attributes, tags and a language; five mailings to a
twentieth of them each, a third of whom opened; a hundredth as many suppressions. Each question is asked three times;
the median counts.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from statistics import median

from sqlalchemy import String, cast, func, insert, literal, select, text
from sqlalchemy.orm import Session

from newsletter.audience.segments.to_sql import condition
from newsletter.clock import utc_now
from newsletter.db import Database
from newsletter.models import (
    Delivery,
    DeliveryState,
    Event,
    EventKind,
    Mailing,
    MailingStatus,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
    Verdict,
)
from newsletter.models.schema import upgrade
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.plan import audience_of
from newsletter.sending.submit import prepare, submit
from tests.bench.figures import Figure, report
from tests.factories import BASE_URL, make_list, subscribe
from tests.servers.postgres import PostgresServer

PEOPLE, QUICK_PEOPLE = 1_000_000, 100_000
SECONDS = 1.0
ROUNDS = 3
MAILINGS, SHARE, OPENED_ONE_IN = 5, 20, 3
SUPPRESSED_ONE_IN = 100
EXPRESSIONS = {
    "attribute": 'city = "Liège"',
    "number": "score > 90",
    "date": "renewed < 2026-01-15",
    "tag": 'tag "presse"',
    "language": 'language starts with "fr"',
    "opened": "opened any of last 5",
    "not_opened": "received any of last 5 and opened none of last 5",
    "comparisons": 'score > 20 and score < 80 and renewed >= 2026-01-10 and city != "Mons"',
    "alternatives": 'score > 95 or renewed < 2026-01-03 or city in ("Liège", "Gand")',
    "several": 'city = "Liège" and opened any of last 5 and not tag "presse"',
}


def main(arguments: list[str]) -> None:
    people = QUICK_PEOPLE if "--quick" in arguments else PEOPLE
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="newsletter-bench-") as folder, PostgresServer() as postgres:
        for name, url in (("sqlite", f"sqlite:///{folder}/bench.db"), ("postgresql", postgres.create_database())):
            with closing(Database(url)) as database:
                upgrade(database)
                list_id = _fill(database, people)
                figures += _measure(name, database, list_id)
    report(figures)


def _measure(name: str, database: Database, list_id: int) -> Iterator[Figure]:
    now = utc_now()
    with database.read() as session:
        for what, expression in EXPRESSIONS.items():
            asked = audience_of(list_id, now, condition(session, expression, list_id, now))
            count = asked.with_only_columns(func.count())
            sample = asked.order_by(Subscriber.id).limit(10)
            for kind, statement in (("count", count), ("sample", sample)):
                taken = []
                for _ in range(ROUNDS):
                    began = time.monotonic()
                    found = session.execute(statement).all()
                    taken.append(time.monotonic() - began)
                assert found, expression
                yield Figure(f"{name}_{kind}_{what}", median(taken), "s", SECONDS, at_most=True)


def _fill(database: Database, people: int) -> int:
    with database.write() as session:
        mailing_list = make_list(session)
        subscribe(session, mailing_list, "first@example.org")
        first = session.scalars(select(Subscriber)).one()
        _people(session, first, mailing_list.id, people)
    with database.write() as session:
        _suppressions(session, people // SUPPRESSED_ONE_IN)
    for number in range(MAILINGS):
        with database.write() as session:
            _mailing(session, number, people)
    with database.write() as session:
        session.execute(text("ANALYZE"))
    return mailing_list.id


def _people(session: Session, first: Subscriber, list_id: int, people: int) -> None:
    cities, languages = ("Liège", "Namur", "Mons", "Gand", "Paris"), ("fr", "nl", "fr-BE", "")
    tags: tuple[list[str], ...] = ([], [], ["presse"])
    now = utc_now()
    for start in range(first.id + 1, people, 50_000):
        numbers = range(start, min(start + 50_000, people + 1))
        session.execute(
            insert(Subscriber),
            [
                {
                    "id": number,
                    "email": f"reader.{number:x}@{'gmail.com' if number % 3 else f'example{number % 500}.org'}",
                    "language": languages[number % 4],
                    "attributes": {
                        "city": cities[number % 5],
                        "renewed": f"2026-01-{number % 28 + 1:02}",
                        "score": str(number % 101),
                    },
                    "tags": tags[number % 3],
                    "created_at": now,
                }
                for number in numbers
            ],
        )
    status = literal(SubscriptionStatus.ACTIVE.value)
    known = select(literal(list_id), Subscriber.id, status, literal("bench"), Subscriber.created_at)
    columns = ["list_id", "subscriber_id", "status", "consent", "subscribed_at"]
    session.execute(insert(Subscription).from_select(columns, known.where(Subscriber.id != first.id)))


def _suppressions(session: Session, number: int) -> None:
    """Of people who are on no list any more."""
    left = {"reason": SuppressionReason.UNSUBSCRIBED, "source": "bench", "created_at": utc_now()}
    session.execute(insert(Suppression), [left | {"address": f"left.{one:x}@gmail.com"} for one in range(number)])


def _mailing(session: Session, number: int, people: int) -> None:
    """A mailing that was sent: what the plan and the workers would leave of it."""
    now = utc_now() - timedelta(days=MAILINGS - number)
    prepared = prepare(session, SAMPLE_ISSUE, "vendredi", base_url=BASE_URL)
    mailing: Mailing = submit(session, prepared, due_at=now, now=now).mailing
    mailing.status, mailing.started_at, mailing.audience_size = MailingStatus.SENT, now, people // SHARE
    session.flush()
    session.execute(
        insert(Delivery).from_select(
            ["mailing_id", "subscriber_id", "email", "state", "attempts"],
            select(
                literal(mailing.id), Subscriber.id, Subscriber.email, literal(DeliveryState.SENT.value), literal(1)
            ).where(Subscriber.id % SHARE == number),
        )
    )
    moment = literal(now, Event.occurred_at.type)
    columns = ("mailing_id", "delivery_id", "reader", "kind", "method", "user_agent", "verdict", "verdict_reason")
    values = (literal(value) for value in ("", EventKind.OPEN.value, "GET", "bench", Verdict.PERSON.value, ""))
    opened = select(Delivery.mailing_id, Delivery.id, *values, moment, cast(Delivery.id, String)).where(
        Delivery.mailing_id == mailing.id, Delivery.id % OPENED_ONE_IN == 0
    )
    session.execute(insert(Event).from_select([*columns, "occurred_at", "source"], opened))


if __name__ == "__main__":
    main(sys.argv[1:])
