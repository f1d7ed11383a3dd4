"""`newsletter stats --domains`: how mail arrives at each domain, and what to look at before it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from itertools import groupby
from typing import Any

from newsletter.cli.output import print_json, print_table, say, warn
from newsletter.db import Database, moment
from newsletter.stats.alarms import ADVICE, Alarm, Subject, alarms
from newsletter.stats.arrivals import Arrival, arrivals, total

SHOWN, NAMED = 20, 5


def show_domains(database: Database, days: int, *, as_json: bool) -> None:
    """The domains of the mailings that began in the last so many days, for people or as JSON."""
    with database.read() as session:
        now = moment(session)
        found = arrivals(session, now - timedelta(days=days))
        said = alarms(found, now)
    domains = total(found)
    if as_json:
        print_json(_facts(days, [one.mailing_id for one in found], domains, said))
    elif not domains:
        say(f"No mailing began in the last {days} days: --days looks further back.")
    else:
        say(f"Mailings that began in the last {days} days: {len(found):,}")
        _print(domains)
        for subject, about in groupby(said, key=lambda alarm: alarm.subject):
            _warn(subject, list(about))


def _print(domains: Mapping[str, Arrival]) -> None:
    rows = [
        (name, one.sent, one.deferred, one.rejected, one.hard, one.soft, one.complaints, one.opened, one.fetched)
        for name, one in domains.items()
    ]
    columns = ("domain", "sent", "deferred", "rejected", "hard", "soft", "spam", "opened", "proxy")
    print_table(columns, rows[:SHOWN])
    if len(rows) > SHOWN:
        say(f"{len(rows) - SHOWN:,} more domains: --json has them all.")


def _warn(subject: Subject, about: Sequence[Alarm]) -> None:
    lines = [f"{alarm.domain}: {alarm.words}" for alarm in about[:NAMED]]
    if len(about) > NAMED:
        lines.append(f"{len(about) - NAMED:,} more domains: --json has them all")
    warn("\n  ".join([ADVICE[subject], *lines]))


def _facts(days: int, mailings: Sequence[int], domains: Mapping[str, Arrival], said: Sequence[Alarm]) -> Any:
    return {
        "days": days,
        "mailings": mailings,
        "domains": [{"domain": name, **asdict(one)} for name, one in domains.items()],
        "warnings": [{**asdict(alarm), "advice": ADVICE[alarm.subject]} for alarm in said],
    }
