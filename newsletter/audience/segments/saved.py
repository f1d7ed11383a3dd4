"""Segments that were given a short name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.audience.segments.parse import parse
from newsletter.errors import ConflictError, NotFoundError
from newsletter.models import List, Segment
from newsletter.slugs import check_name, check_slug, is_slug


def add_segment(session: Session, slug: str, expression: str, name: str, now: datetime) -> Segment:
    """Keep an expression under a short name.

    Raises ConflictError where the name is taken, InputError for one that is none, ExpressionError for the expression.
    """
    check_slug(slug)
    if session.scalar(select(Segment).where(Segment.slug == slug)):
        raise ConflictError(f"there is a segment “{slug}” already")
    parse(expression, known_attributes(session))
    added = Segment(slug=slug, name=check_name(name or slug), expression=expression.strip(), created_at=now)
    session.add(added)
    session.flush()
    return added


def all_segments(session: Session) -> Sequence[Segment]:
    """Every saved segment, by its short name."""
    return session.scalars(select(Segment).order_by(Segment.slug)).all()


def get_segment(session: Session, slug: str) -> Segment:
    """The segment of that short name. Raises NotFoundError that says which there are."""
    found = session.scalar(select(Segment).where(Segment.slug == slug))
    if found is not None:
        return found
    known = [segment.slug for segment in all_segments(session)]
    there_are = f"there are {', '.join(known)}" if known else 'add one with `newsletter segment add SLUG "…"`'
    raise NotFoundError(f"there is no segment “{slug}”; {there_are}")


def expression_of(session: Session, said: str) -> str:
    """The expression that is meant by a saved segment's short name, or by an expression itself.

    No expression is a single word, so they cannot be taken for each other. Raises NotFoundError or ExpressionError.
    """
    if is_slug(said.strip()):
        return get_segment(session, said.strip()).expression
    parse(said, known_attributes(session))
    return said.strip()


def known_attributes(session: Session) -> frozenset[str]:
    """The attributes that the imports of all lists brought."""
    return frozenset(name for names in session.scalars(select(List.attribute_names)) for name in names)
