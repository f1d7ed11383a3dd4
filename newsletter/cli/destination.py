"""Who gets an issue and when: as the command line says, else as its front matter says."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from newsletter.audience.lists import get_list
from newsletter.audience.segments.saved import expression_of
from newsletter.cli.manner import Times
from newsletter.errors import ExpressionError, InputError, NotFoundError, SourceError
from newsletter.rendering.front_matter import FrontMatter


def chosen_list(session: Session, path: Path, front: FrontMatter, said: str | None) -> str:
    """The slug of the list that the issue in `path` goes to; `said` is what --list says.

    Raises NotFoundError or SourceError for a list that is none, InputError where no list is said, or several are.
    """
    if said is not None:
        return get_list(session, said).slug
    if not front.lists:
        raise InputError(f"{path}: who gets it? Say --list SLUG, or write “lists: SLUG” into its front matter")
    line = front.lines["lists"]
    if len(front.lists) > 1:
        options = " or ".join(f"--list {slug}" for slug in front.lists)
        raise SourceError(f"lists names several and a mailing goes to one: say {options}", path=str(path), line=line)
    try:
        return get_list(session, front.lists[0]).slug
    except NotFoundError as error:
        raise SourceError(f"lists: {error}", path=str(path), line=line) from None


def chosen_segment(session: Session, path: Path, front: FrontMatter, said: str | None) -> str | None:
    """The expression of the segment that the issue in `path` goes to, None for the whole list; `said` is --segment's.

    Raises NotFoundError or ExpressionError, SourceError for a segment of the front matter that is none.
    """
    if said is not None:
        return expression_of(session, said)
    if not front.segment:
        return None
    try:
        return expression_of(session, front.segment)
    except (NotFoundError, ExpressionError) as error:
        raise SourceError(str(error), path=str(path), line=front.lines["segment"]) from None


def chosen_times(path: Path, front: FrontMatter, *, at: str | None, at_once: bool, hold: str | None) -> Times:
    """When it goes. Raises InputError for two answers at once."""
    if at is not None and at_once:
        raise InputError("--at and --now are two different times: leave one of them out")
    if at is not None or at_once or not front.schedule:
        return Times(at, hold)
    return Times(front.schedule, hold, (path, front.lines["schedule"]))
