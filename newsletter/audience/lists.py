"""Lists of a publication."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from newsletter.errors import ConflictError, NotFoundError
from newsletter.models import List, OptIn, Publication, Subscription, SubscriptionStatus
from newsletter.slugs import check_name, check_slug
from newsletter.text import one_line


@dataclass(frozen=True, slots=True)
class ListSummary:
    """A list with how many are on it."""

    slug: str
    name: str
    publication: str
    is_public: bool
    opt_in: OptIn
    active: int
    pending: int
    unsubscribed: int


@dataclass(frozen=True, slots=True)
class Manner:
    """How a list meets its readers; None leaves what is as it is."""

    name: str | None = None
    is_public: bool | None = None
    opt_in: OptIn | None = None
    description: str | None = None
    welcome: str | None = None


def add_list(
    session: Session, publication: Publication, slug: str, name: str, now: datetime, manner: Manner | None = None
) -> List:
    """Add a list: private and of double opt-in, unless its manner says else.

    Raises ConflictError where the slug is taken, InputError for a slug that is none.
    """
    check_slug(slug)
    if session.scalar(select(List).where(List.slug == slug)):
        raise ConflictError(f"there is a list “{slug}” already")
    added = List(
        publication_id=publication.id,
        slug=slug,
        name=check_name(name or slug),
        attribute_names=[],
        created_at=now,
    )
    session.add(added)
    session.flush()
    if manner:
        edit_list(session, added, manner)
    return added


def edit_list(session: Session, mailing_list: List, manner: Manner) -> None:
    """Change how a list meets its readers. Raises InputError for a name that is blank or too long."""
    if manner.name is not None:
        mailing_list.name = check_name(manner.name)
    if manner.is_public is not None:
        mailing_list.is_public = manner.is_public
    if manner.opt_in is not None:
        mailing_list.opt_in = manner.opt_in
    if manner.description is not None:
        mailing_list.description = one_line(manner.description)
    if manner.welcome is not None:
        mailing_list.welcome = manner.welcome.strip()
    session.flush()


def get_list(session: Session, slug: str) -> List:
    """The list of that slug. Raises NotFoundError that says which there are."""
    found = session.scalar(select(List).where(List.slug == slug))
    if found is not None:
        return found
    known = list(session.scalars(select(List.slug).order_by(List.slug)))
    there_are = f"there are {', '.join(known)}" if known else "add one with `newsletter list add SLUG`"
    raise NotFoundError(f"there is no list “{slug}”; {there_are}")


def summaries(session: Session) -> Iterable[ListSummary]:
    """Every list with its counts, by slug."""
    counted = (
        select(Subscription.list_id, Subscription.status, func.count().label("subscribers"))
        .group_by(Subscription.list_id, Subscription.status)
        .subquery()
    )
    rows = session.execute(
        select(List, Publication.slug, counted.c.status, counted.c.subscribers)
        .join(Publication, Publication.id == List.publication_id)
        .outerjoin(counted, counted.c.list_id == List.id)
        .order_by(List.slug)
    ).all()
    for entry in {row[0]: row[1] for row in rows}.items():
        mailing_list, publication = entry
        counts = {status: count for found, _, status, count in rows if found is mailing_list}
        yield ListSummary(
            slug=mailing_list.slug,
            name=mailing_list.name,
            publication=publication,
            is_public=mailing_list.is_public,
            opt_in=mailing_list.opt_in,
            active=counts.get(SubscriptionStatus.ACTIVE, 0),
            pending=counts.get(SubscriptionStatus.PENDING, 0),
            unsubscribed=counts.get(SubscriptionStatus.UNSUBSCRIBED, 0),
        )


def count_active(session: Session, list_id: int) -> int:
    """How many subscribers of the list want its mail."""
    return (
        session.scalar(
            select(func.count())
            .select_from(Subscription)
            .where(Subscription.list_id == list_id, Subscription.status == SubscriptionStatus.ACTIVE)
        )
        or 0
    )
