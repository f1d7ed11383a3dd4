"""Times, lengths of time and times of day as people write them. Moments are in UTC."""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from newsletter.errors import InputError
from newsletter.sending.zones import end_of_gap, readings, zone_named
from newsletter.text import one_line

SHORTEST, LONGEST = timedelta(seconds=1), timedelta(days=7)

_MINUTE = timedelta(minutes=1)
_AT = re.compile(r"(?P<when>.*?)(?:\s+(?P<spaced>[A-Za-z]\S*)|\s*\[(?P<bracketed>.*)\])?", re.DOTALL)
_DURATION = re.compile(r"(?:([0-9]{1,8})d)?(?:([0-9]{1,8})h)?(?:([0-9]{1,8})m)?(?:([0-9]{1,8})s)?")
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def due_at(text: str, zone: ZoneInfo, now: datetime, option: str = "--at") -> datetime:
    """The moment that is meant: an ISO 8601 date and time, with its offset, an IANA zone after it, or else in `zone`.

    Raises InputError that names `option` for what is no time, one that the zone skips or has twice, one more than a
    minute before `now`.
    """
    try:
        return _due_at(text, zone, now)
    except InputError as error:
        raise InputError(f"{option}: {error}") from None


def _due_at(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    match = _AT.fullmatch(text.strip())
    assert match is not None  # noqa: S101 - it matches any text
    wall = _date_and_time(match["when"], text)
    name = match["spaced"] or match["bracketed"]
    if name is not None and wall.tzinfo:
        raise InputError(f"{quoted(text)} has an offset and a zone: leave one of them out")
    moment = wall.astimezone(UTC) if wall.tzinfo else _only_moment(wall, zone if name is None else _named(name))
    if moment < now - _MINUTE:
        raise InputError(f"{quoted(text)} is past: write a later time, or send it with --now")
    return moment


def duration(text: str, option: str) -> timedelta:
    """A length of time such as `90s`, `10m`, `2h`, `1h30m` or `1d`, a second at least and seven days at most.

    Raises InputError that names `option`.
    """
    match = _DURATION.fullmatch(text)
    if not match or not text:
        raise InputError(f"{option}: {quoted(text)} is not a length of time: write one such as 90s, 10m, 1h30m or 1d")
    days, hours, minutes, seconds = (int(number or 0) for number in match.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not SHORTEST <= length <= LONGEST:
        raise InputError(f"{option}: {quoted(text)} is out of range: write from 1s to 7d")
    return length


def time_of_day(text: str, option: str) -> time:
    """A time such as `08:00`, `8:00` or `20:15` on a 24-hour clock. Raises InputError that names `option`."""
    match = _TIME.fullmatch(text)
    if not match:
        raise InputError(f"{option}: {quoted(text)} is not a time of day: write one such as 08:00 or 20:15")
    return time(int(match[1]), int(match[2]))


def _only_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    before, after = readings(wall, zone)
    if before < after:
        first, second = (_written(moment.astimezone(zone)) for moment in (before, after))
        raise InputError(f"{_written(wall)} comes twice in {zone}: choose one by its offset, {first} or {second}")
    if after < before:
        resumed = end_of_gap(wall, zone).astimezone(zone)
        last = (resumed.astimezone(UTC) - _MINUTE).astimezone(zone)
        gap = f"from {last + _MINUTE:%H:%M} to {resumed:%H:%M}"
        nearest = f"{_written(last)} or {_written(resumed)}"
        raise InputError(f"{_written(wall)} is skipped in {zone}, clocks go {gap}: write {nearest}")
    return before


def _date_and_time(when: str, text: str) -> datetime:
    try:
        wall = datetime.fromisoformat(when)
    except ValueError:
        wall = None
    if wall is None or not MINYEAR < wall.year < MAXYEAR:
        raise InputError(f"{quoted(text)} is not a date and time: write one such as 2026-03-13T08:00")
    if not set(when) & set("T :"):
        raise InputError(f"{quoted(text)} has no time of day: write it too, as in {wall:%Y-%m-%d}T08:00")
    return wall


def _named(name: str) -> ZoneInfo:
    zone = zone_named(name)
    if zone is None:
        raise InputError(f"{quoted(name)} is not an IANA zone: write one such as Europe/Brussels")
    return zone


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds" if moment.second else "minutes")


def quoted(text: str) -> str:
    """What somebody wrote, in a complaint about it."""
    return f"“{one_line(text[:80])}”"
