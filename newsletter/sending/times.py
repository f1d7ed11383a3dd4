"""Times as people write them, and when clocks in each zone show them (IANA zones, PEP 495). Moments are in UTC."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from itertools import count, groupby
from zoneinfo import ZoneInfo

from newsletter.errors import InputError
from newsletter.text import one_line

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=7)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = frozenset(range(7))

_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_AT = re.compile(r"(?P<when>.*?)(?:\s+(?P<spaced>[A-Za-z]\S*)|\s*\[(?P<bracketed>.*)\])?", re.DOTALL)
_DURATION = re.compile(r"(?:([0-9]{1,8})d)?(?:([0-9]{1,8})h)?(?:([0-9]{1,8})m)?(?:([0-9]{1,8})s)?")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_WINDOW = re.compile(r"(?:([a-z,-]+)\s+)?([0-9][^\s-]*)-([0-9][^\s-]*)")


def due_at(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    """The moment `--at` names: an ISO 8601 date and time, with its offset, an IANA zone after it, or else in `zone`.

    Raises InputError for what is no time, one that the zone skips or has twice, one more than a minute before `now`.
    """
    match = _AT.fullmatch(text.strip())
    assert match is not None  # noqa: S101 - it matches any text
    wall = _date_and_time(match["when"], text)
    name = match["spaced"] or match["bracketed"]
    if name is not None and wall.tzinfo:
        raise InputError(f"--at: {_quoted(text)} has an offset and a zone: leave one of them out")
    moment = wall.astimezone(UTC) if wall.tzinfo else _only_moment(wall, zone if name is None else _named(name))
    if moment < now - _MINUTE:
        raise InputError(f"--at: {_quoted(text)} is past: write a later time, or leave --at out to send now")
    return moment


def duration(text: str, option: str) -> timedelta:
    """A length of time such as `90s`, `10m`, `2h`, `1h30m` or `1d`, a second at least and seven days at most.

    Raises InputError that names `option`.
    """
    match = _DURATION.fullmatch(text)
    if not match or not text:
        raise InputError(
            f"{option}: {_quoted(text)} is not a length of time: write one such as 90s, 10m, 1h30m or 1d"
        )
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not SHORTEST <= length <= LONGEST:
        raise InputError(f"{option}: {_quoted(text)} is out of range: write from 1s to 7d")
    return length


def time_of_day(text: str, option: str) -> time:
    """A time such as `08:00`, `8:00` or `20:15` on a 24-hour clock. Raises InputError that names `option`."""
    match = _TIME.fullmatch(text)
    if not match:
        raise InputError(f"{option}: {_quoted(text)} is not a time of day: write one such as 08:00 or 20:15")
    return time(int(match[1]), int(match[2]))


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
        for day in _days_around(now, zone):
            if day.weekday() in self.days:
                last = day if self.start < self.end else day + _DAY
                yield local_moment(day, self.start, zone), local_moment(last, self.end, zone)


def parse_window(text: str, option: str = "--window") -> Window:
    """A window such as `08:00-20:00`, `mon-fri 08:00-20:00`, `sat,sun 10:00-12:00` or, over midnight, `22:00-06:00`.

    Raises InputError that names `option`.
    """
    match = _WINDOW.fullmatch(text.strip().lower())
    if not match:
        raise InputError(f"{option}: {_quoted(text)} is not a window: write one such as mon-fri 08:00-20:00")
    days = _days_of_week(match[1], option) if match[1] else EVERY_DAY
    return Window(time_of_day(match[2], option), time_of_day(match[3], option), days)


def local_moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When clocks in `zone` show `at` on `day`: the first time where they do twice, the end of a gap where never."""
    wall = datetime.combine(day, at)
    before, after = _readings(wall, zone)
    return _end_of_gap(wall, zone) if after < before else before


def cohorts(due: datetime, at: time, zones: Iterable[str], fallback: ZoneInfo) -> dict[str, datetime]:
    """For each zone name the first moment not before `due` that is the local_moment of `at` on a day there.

    A name that is empty or unknown has the moment of `fallback`.
    """
    return {name: _first_at(due, at, _zone(name) or fallback) for name in set(zones)}


def _first_at(due: datetime, at: time, zone: ZoneInfo) -> datetime:
    moments = (local_moment(day, at, zone) for day in _days_around(due, zone))
    return next(moment for moment in moments if moment >= due)


def _days_around(moment: datetime, zone: ZoneInfo) -> Iterator[date]:
    """The days of `zone` from the one before `moment` on, without those it skips (Apia, 30 December 2011)."""
    today = moment.astimezone(zone).date()
    for number in count(-1):
        day = today + number * _DAY
        if local_moment(day, time.min, zone) < local_moment(day + _DAY, time.min, zone):
            yield day


def _readings(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """`wall` at the offset before a change of clocks close to it, and at the one after; the same away from changes.

    The first is the earlier one where `wall` comes twice, the later one where it is skipped.
    """
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return before, after


def _end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which clocks in `zone` are set forward past `wall`."""
    late, early = _readings(wall.replace(microsecond=0), zone)

    def shown_after(seconds: int) -> datetime:
        return (early + timedelta(seconds=seconds)).astimezone(zone).replace(tzinfo=None)

    return early + timedelta(seconds=bisect_left(range(int((late - early).total_seconds())), wall, key=shown_after))


def _only_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    before, after = _readings(wall, zone)
    if before < after:
        first, second = (_written(moment.astimezone(zone)) for moment in (before, after))
        raise InputError(
            f"--at: {_written(wall)} comes twice in {zone}: choose one by its offset, {first} or {second}"
        )
    if after < before:
        resumed = _end_of_gap(wall, zone).astimezone(zone)
        last = (resumed.astimezone(UTC) - _MINUTE).astimezone(zone)
        gap = f"from {last + _MINUTE:%H:%M} to {resumed:%H:%M}"
        nearest = f"{_written(last)} or {_written(resumed)}"
        raise InputError(f"--at: {_written(wall)} is skipped in {zone}, clocks go {gap}: write {nearest}")
    return before


def _date_and_time(when: str, text: str) -> datetime:
    try:
        wall = datetime.fromisoformat(when)
    except ValueError:
        wall = None
    if wall is None or not MINYEAR < wall.year < MAXYEAR:
        raise InputError(f"--at: {_quoted(text)} is not a date and time: write one such as 2026-03-13T08:00")
    if not set(when) & set("T :"):
        raise InputError(f"--at: {_quoted(text)} has no time of day: write it too, as in {wall:%Y-%m-%d}T08:00")
    return wall


def _named(name: str) -> ZoneInfo:
    zone = _zone(name)
    if zone is None:
        raise InputError(f"--at: {_quoted(name)} is not an IANA zone: write one such as Europe/Brussels")
    return zone


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None


def _days_of_week(text: str, option: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        ends = part.split("-")
        if len(ends) > 2 or not set(ends) <= set(WEEKDAYS):
            raise InputError(
                f"{option}: {_quoted(part)} is not a day of the week: write days as in mon-fri or sat,sun"
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


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")


def _quoted(text: str) -> str:
    return f"“{one_line(text[:80])}”"
