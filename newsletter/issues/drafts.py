"""Issues as they are written: every text is kept, and so is every picture."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.models import Asset, Issue, Publication, Revision
from newsletter.slugs import slugify


@dataclass(frozen=True, slots=True)
class Draft:
    """An issue's file with what names it."""

    source: str
    title: str
    number: int | None


def save_draft(session: Session, publication: Publication, draft: Draft, now: datetime) -> Revision:
    """Keep a text as the issue's latest revision; the same text again gives the same revision."""
    issue = _issue(session, publication, draft, now)
    digest = sha256(draft.source.encode()).hexdigest()
    revision = session.scalar(select(Revision).where(Revision.issue_id == issue.id, Revision.digest == digest))
    if revision is None:
        revision = Revision(issue_id=issue.id, source=draft.source, digest=digest, created_at=now)
        session.add(revision)
        session.flush()
    return revision


def keep_assets(session: Session, assets: Iterable[Asset]) -> None:
    """Keep pictures that are not kept yet."""
    for asset in assets:
        if session.get(Asset, asset.digest) is None:
            session.add(asset)
    session.flush()


def _issue(session: Session, publication: Publication, draft: Draft, now: datetime) -> Issue:
    slug = str(draft.number) if draft.number is not None else slugify(draft.title) or "untitled"
    issue = session.scalar(select(Issue).where(Issue.publication_id == publication.id, Issue.slug == slug))
    if issue is None:
        issue = Issue(publication_id=publication.id, slug=slug, created_at=now)
        session.add(issue)
    issue.title, issue.number = draft.title, draft.number
    session.flush()
    return issue
