"""Publications: who writes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import ConflictError, NotFoundError
from newsletter.models import Publication, Tracking
from newsletter.slugs import check_name, check_slug


@dataclass(frozen=True, slots=True)
class NewPublication:
    """What a publication is made from; addresses normalised already."""

    slug: str
    name: str
    from_email: str
    reply_to: str | None = None
    language: str = "en"
    timezone: str = "UTC"
    postal_address: str = ""
    tracking: Tracking = Tracking.AGGREGATE


def add_publication(session: Session, new: NewPublication, now: datetime) -> Publication:
    """Add a publication. Raises ConflictError where the slug is taken, InputError for a slug that is none."""
    check_slug(new.slug)
    name = check_name(new.name)
    if session.scalar(select(Publication).where(Publication.slug == new.slug)):
        raise ConflictError(f"there is a publication “{new.slug}” already")
    publication = Publication(
        slug=new.slug,
        name=name,
        from_email=new.from_email,
        reply_to=new.reply_to,
        language=new.language,
        timezone=new.timezone,
        postal_address=new.postal_address,
        tracking=new.tracking,
        created_at=now,
    )
    session.add(publication)
    session.flush()
    return publication


def get_publication(session: Session, slug: str | None = None) -> Publication:
    """The publication of that slug; without a slug, the only one there is.

    Raises NotFoundError that says which there are.
    """
    publications = all_publications(session)
    if slug is None and len(publications) == 1:
        return publications[0]
    for publication in publications:
        if publication.slug == slug:
            return publication
    if not publications:
        raise NotFoundError(
            "there is no publication yet: add one with `newsletter publication add SLUG --name … --from …`"
        )
    known = ", ".join(publication.slug for publication in publications)
    wanted = f"there is no publication “{slug}”" if slug else "several publications: name one with --publication"
    raise NotFoundError(f"{wanted}; there are {known}")


def all_publications(session: Session) -> list[Publication]:
    """Every publication, by slug."""
    return list(session.scalars(select(Publication).order_by(Publication.slug)))
