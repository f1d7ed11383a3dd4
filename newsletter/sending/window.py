"""A window: the hours of the week within which a mailing may go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from newsletter.errors import InputError
from newsletter.sending.times import quoted, time_of_day
from newsletter.sending.zones import days_around, local_moment

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))

_DAY = timedelta(days=1)
_WINDOW = re.compile(r"(?:([a-z,-]+)\s+)?([0-9][^\s-]*)-([0-9][^\s-]*)")


@dataclass(frozen=True, slots=True)
class Window:
    """Hours of the day, to the minute, on the days of the week they begin on (Monday is 0).

    An `end` that is not after `start` is on the next day. `str` gives what parse_window reads.
    """

    start: time
    end: time
    days: frozenset[int] = EVERY_DAY

    def __post_init__(self) -> None:
        if not self.days or not self.days <= EVERY_DAY:
            raise ValueError("the days of a window are one or more of 0 to 6")

    def __str__(self) -> str:
        hours = f"{self.start:%H:%M}-{self.end:%H:%M}"
        return hours if self.days == EVERY_DAY else f"{_days_in_words(self.days)} {hours}"

    def is_open(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether it is open at `now` in `zone`."""
        return self.next_opening(now, zone) == now

    def next_opening(self, now: datetime, zone: ZoneInfo) -> datetime:
        """The first moment from `now` on at which it is open in `zone`; `now` itself when it is."""
        from_now_on = ((max(opens, now), closes) for opens, closes in self._openings(now, zone))
        return next(opens for opens, closes in from_now_on if opens < closes)

    def _openings(self, now: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        for day in days_around(now, zone):
            if day.weekday() in self.days:
                last = day if self.start < self.end else day + _DAY
                yield local_moment(day, self.start, zone), local_moment(last, self.end, zone)


def parse_window(text: str, option: str = "--window") -> Window:
    """A window such as `08:00-20:00`, `mon-fri 08:00-20:00`, `sat,sun 10:00-12:00` or, over midnight, `22:00-06:00`.

    Raises InputError that names `option`.
    """
    match = _WINDOW.fullmatch(text.strip().lower())
    if not match:
        raise InputError(f"{option}: {quoted(text)} is not a window: write one such as mon-fri 08:00-20:00")
    days = _days_of_week(match[1], option) if match[1] else EVERY_DAY
    return Window(time_of_day(match[2], option), time_of_day(match[3], option), days)


def _days_of_week(text: str, option: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        ends = part.split("-")
        if len(ends) > 2 or not set(ends) <= set(WEEKDAYS):
            raise InputError(
                f"{option}: {quoted(part)} is not a day of the week: write days as in mon-fri or sat,sun"
            )
        first, last = WEEKDAYS.index(ends[0]), WEEKDAYS.index(ends[-1])
        days |= {(first + number) % 7 for number in range((last - first) % 7 + 1)}
    return frozenset(days)


def _days_in_words(days: frozenset[int]) -> str:
    parts: list[str] = []
    for _, run in groupby(enumerate(sorted(days)), key=lambda place_and_day: place_and_day[1] - place_and_day[0]):
        names = [WEEKDAYS[day] for _, day in run]
        parts += [f"{names[0]}-{names[-1]}"] if len(names) > 2 else names
    return ",".join(parts)
