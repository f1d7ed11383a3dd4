"""A mailing's report, for people: the funnel, links, hours, mail programs and mailbox providers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from newsletter.cli.charts import skyline
from newsletter.cli.output import draws, print_table, say
from newsletter.stats.funnel import funnel, notes
from newsletter.stats.report import Report, Seen

AN_HOUR = timedelta(hours=1)
HOURS, TICK_HOURS = 48, 6
NAMES = 8


def print_report(facts: Report) -> None:
    """All of it; charts where they can be drawn, else tables alone."""
    _print_funnel(facts)
    for note in notes(facts):
        say(note)
    _print_hours(facts)
    if facts.links:
        say("")
        rows = [
            (link.url, link.clicks.person.readers, link.clicks.person.events, link.clicks.machine.events)
            for link in facts.links
        ]
        print_table(("link", "people", "their clicks", "machines’"), rows, [row[1] for row in rows])
    _print_names("read with", facts.clients)
    _print_names("mailbox provider", facts.providers)


def _print_funnel(facts: Report) -> None:
    steps = funnel(facts)
    rows = [(step.name, step.people, step.share) for step in steps]
    print_table(("", "people", "share"), rows, [step.people for step in steps])


def _print_hours(facts: Report) -> None:
    """People's opens and clicks by the hour; those of proxies tell when a proxy came."""
    counts = [(hour.at, hour.opens.person.events, hour.clicks.person.events) for hour in facts.hours]
    counts = [row for row in counts if any(row[1:])]
    if not counts:
        return
    began = (facts.mailing.started_at or counts[0][0]).replace(minute=0, second=0, microsecond=0)
    say(f"\nPer hour since {began:%Y-%m-%d %H:00} UTC, by people")
    if draws():
        _draw_hours(counts, began)
    else:
        print_table(("hour", "opens", "clicks"), counts)


def _draw_hours(counts: Sequence[tuple[datetime, int, int]], began: datetime) -> None:
    by_hour = {(at - began) // AN_HOUR: (opens, clicks) for at, opens, clicks in counts}
    shown = [by_hour.pop(hour, (0, 0)) for hour in range(HOURS)]
    for name, values in zip(("opens", "clicks"), zip(*shown, strict=True), strict=True):
        say(f"{name:<7}{skyline(values)}  highest {max(values):,}")
    say(" " * 7 + "".join(f"{hour:<{TICK_HOURS}}" for hour in range(0, HOURS, TICK_HOURS)))
    if by_hour:
        opens, clicks = map(sum, zip(*by_hour.values(), strict=True))
        say(f"At other times: {opens:,} opens, {clicks:,} clicks.")


def _print_names(title: str, seen: Sequence[Seen]) -> None:
    """The largest of those that were not machines alone."""
    rows = [(one.name, one.opens.person.readers, one.opens.proxy.readers, one.clicks.person.readers) for one in seen]
    shown = [row for row in rows if any(row[1:])][:NAMES]
    if shown:
        say("")
        print_table((title, "opened", "by a proxy", "clicked"), shown, [row[1] + row[2] for row in shown])
