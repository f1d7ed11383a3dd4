"""When clocks in each zone show a time (IANA zones, PEP 495). Moments are in UTC."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)


def local_moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """When clocks in `zone` show `at` on `day`: the first time where they do twice, the end of a gap where never."""
    wall = datetime.combine(day, at)
    before, after = readings(wall, zone)
    return end_of_gap(wall, zone) if after < before else before


def cohorts(due: datetime, at: time, zones: Iterable[str], fallback: ZoneInfo) -> dict[str, datetime]:
    """For each zone name the first moment not before `due` that is the local_moment of `at` on a day there.

    A name that is empty or unknown has the moment of `fallback`.
    """
    return {name: _first_at(due, at, zone_named(name) or fallback) for name in set(zones)}


def _first_at(due: datetime, at: time, zone: ZoneInfo) -> datetime:
    moments = (local_moment(day, at, zone) for day in days_around(due, zone))
    return next(moment for moment in moments if moment >= due)


def days_around(moment: datetime, zone: ZoneInfo) -> Iterator[date]:
    """The days of `zone` from the one before `moment` on, without those it skips (Apia, 30 December 2011)."""
    today = moment.astimezone(zone).date()
    for number in count(-1):
        day = today + number * _DAY
        if local_moment(day, time.min, zone) < local_moment(day + _DAY, time.min, zone):
            yield day


def readings(wall: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """`wall` at the offset before a change of clocks close to it, and at the one after; the same away from changes.

    The first is the earlier one where `wall` comes twice, the later one where it is skipped.
    """
    before, after = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    return before, after


def end_of_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which clocks in `zone` are set forward past `wall`."""
    late, early = readings(wall.replace(microsecond=0), zone)

    def shown_after(seconds: int) -> datetime:
        return (early + timedelta(seconds=seconds)).astimezone(zone).replace(tzinfo=None)

    return early + timedelta(seconds=bisect_left(range(int((late - early).total_seconds())), wall, key=shown_after))


def zone_named(name: str) -> ZoneInfo | None:
    """The zone of an IANA name; None for a name that is none."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None
