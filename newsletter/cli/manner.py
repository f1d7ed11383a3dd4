"""When and how a mailing is to go out: as it was typed, and as it is told back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import Select
from sqlalchemy.orm import Session

from newsletter.cli.progress import counted
from newsletter.errors import InputError, SourceError
from newsletter.models import Mailing, Subscriber
from newsletter.sending import times
from newsletter.sending.schedule import Manner
from newsletter.sending.window import parse_window

SHOWN_ZONES = 3


@dataclass(frozen=True, slots=True)
class Times:
    """What was said of the time, as it was typed; `source` is the file and line it stands in, where it is in one."""

    at: str | None
    hold: str | None
    source: tuple[Path, int] | None = None

    def due_at(self, zone: ZoneInfo, now: datetime) -> datetime:
        """The moment that is meant. Raises InputError that names the option, or the file and line."""
        at = self._at(zone, now) if self.at is not None else now
        hold = times.duration(self.hold, "--hold") if self.hold is not None else timedelta()
        return max(at, now + hold)

    def _at(self, zone: ZoneInfo, now: datetime) -> datetime:
        assert self.at is not None  # noqa: S101 - its caller saw to it
        if self.source is None:
            return times.due_at(self.at, zone, now)
        path, line = self.source
        try:
            return times.due_at(self.at, zone, now, "schedule")
        except InputError as error:
            raise SourceError(str(error), path=str(path), line=line) from None


def manner_of(local_time: str | None, window: str | None, canary: int | None) -> Manner:
    """The manner that is meant. Raises InputError that names the option."""
    return Manner(
        times.time_of_day(local_time, "--local-time") if local_time is not None else None,
        parse_window(window) if window is not None else None,
        canary,
    )


def told(mailing: Mailing, list_slug: str, recipients: int, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    """What is going to happen, a line each."""
    due = "now" if mailing.due_at <= now else f"{mailing.due_at:%Y-%m-%d %H:%M} UTC"
    when = due if due == "now" else f"at {due}"
    if mailing.local_time:
        when = f"once it is {mailing.local_time} where each of them is, from {due} on"
    who = f"{counted(recipients, 'subscriber')} of “{list_slug}”"
    yield f"Mailing {mailing.id} “{mailing.subject}” goes to {who} {when}."
    if mailing.segment:
        yield f"Of the list, it goes to this segment: {mailing.segment}"
    if mailing.window:
        start = max(mailing.due_at, now)
        opening = parse_window(mailing.window).next_opening(start, zone)
        first = f", the first from {opening:%Y-%m-%d %H:%M} UTC on" if opening > start else ""
        yield f"It goes within these hours of {zone} only: {mailing.window}{first}."
    if mailing.canary:
        yield f"The first {mailing.canary:,} go ahead; the rest follows unless too many of them are refused."


def zone_warnings(
    session: Session, people: Select[int, str], list_slug: str, hour: str, zone: ZoneInfo
) -> Iterator[str]:
    """What keeps an audience from being sent to by everyone's own clock."""
    names = people.with_only_columns(Subscriber.timezone).distinct()
    found = {name for name in session.scalars(names) if name}
    unknown = sorted(found - available_timezones())
    if unknown:
        some = ", ".join(f"“{name}”" for name in unknown[:SHOWN_ZONES])
        more = f" and {len(unknown) - SHOWN_ZONES:,} more" if len(unknown) > SHOWN_ZONES else ""
        yield f"--local-time: {some}{more}: no IANA zone; whoever is said to be there gets it at {hour} in {zone}"
    elif not found:
        yield (
            f"--local-time: nobody on “{list_slug}” has a time zone (import a column “timezone” with such "
            f"as Europe/Brussels): everyone gets it at {hour} in {zone}"
        )
