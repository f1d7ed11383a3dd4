"""What the front matter says of who gets an issue, and when."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from newsletter.audience.lists import get_list
from newsletter.audience.segments.saved import expression_of
from newsletter.errors import ExpressionError, InputError, NotFoundError
from newsletter.preflight.finding import Finding, error, warning
from newsletter.rendering.front_matter import FrontMatter
from newsletter.sending.times import due_at

# Where days end last: what is past there is past everywhere.
LAST_ZONE = ZoneInfo("Etc/GMT+12")


def check_lists(session: Session, front: FrontMatter) -> list[Finding]:
    """Lists that there are not, and more of them than a mailing goes to."""
    line = front.lines.get("lists")
    found = []
    for slug in front.lists:
        try:
            get_list(session, slug)
        except NotFoundError as fault:
            what, _, there_are = str(fault).rpartition("; ")
            found.append(error("lists", line, what, there_are))
    if len(front.lists) > 1:
        told = f"lists names {len(front.lists)} lists, and a mailing goes to one"
        found.append(warning("lists", line, told, f"say which, as in newsletter send … --list {front.lists[0]}"))
    return found


def check_segment(session: Session, front: FrontMatter) -> list[Finding]:
    """A segment that there is not, or an expression that is none."""
    if not front.segment:
        return []
    try:
        expression_of(session, front.segment)
    except NotFoundError as fault:
        what, _, there_are = str(fault).rpartition("; ")
        return [error("segment", front.lines["segment"], what, there_are)]
    except ExpressionError as fault:
        remedy = "mend it, or write a saved segment’s name"
        return [error("segment", front.lines["segment"], str(fault), remedy)]
    return []


def check_schedule(front: FrontMatter, zone: ZoneInfo, now: datetime) -> list[Finding]:
    """A time that cannot be meant, or is past."""
    if not front.schedule:
        return []
    try:
        due_at(front.schedule, zone, now, "schedule")
    except InputError as fault:
        what, _, remedy = str(fault).rpartition(": ")
        return [error("schedule", front.lines["schedule"], what, remedy)]
    return []
