"""An issue's file becomes a scheduled mailing: compiled for its list, kept, scheduled. Faults surface here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from newsletter.audience.lists import get_list
from newsletter.issues.drafts import Draft, keep_assets, save_draft
from newsletter.models import Asset, List, Mailing, Publication
from newsletter.rendering.compile import Masthead
from newsletter.rendering.content import Content
from newsletter.rendering.expressions import Fields
from newsletter.rendering.issue_file import IssueFile, read_issue
from newsletter.sending.schedule import AT_ONCE, Manner, schedule


@dataclass(frozen=True, slots=True)
class Prepared:
    """An issue compiled for a list, or a segment (its expression) of it.

    What it was read from SQL with may be closed by now.
    """

    mailing_list: List
    publication: Publication
    issue: IssueFile
    content: Content
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """A scheduled mailing, and what its editor should have looked at."""

    mailing: Mailing
    warnings: list[str]


def prepare(session: Session, path: Path, list_slug: str, *, base_url: str, segment: str | None = None) -> Prepared:
    """Compile the issue in `path` for a list, or a segment (its expression) of it; nothing is kept.

    Raises NewsletterError for any fault.
    """
    mailing_list = get_list(session, list_slug)
    publication = session.get_one(Publication, mailing_list.publication_id)
    issue = read_issue(path, Fields(frozenset(mailing_list.attribute_names)))
    return Prepared(mailing_list, publication, issue, issue.compile(masthead_of(publication), base_url), segment)


def submit(
    session: Session, prepared: Prepared, *, due_at: datetime, now: datetime, manner: Manner = AT_ONCE
) -> Submitted:
    """Keep an issue and schedule it for its list. Raises InputError, and schedules nothing, where nobody is on it."""
    issue, front = prepared.issue, prepared.issue.document.front
    revision = save_draft(session, prepared.publication, Draft(issue.source, front.title, front.number), now)
    keep_assets(session, _assets(issue, now))
    mailing = schedule(
        session, revision, prepared.mailing_list, prepared.content, due_at, now, manner, prepared.segment
    )
    return Submitted(mailing, issue.warnings)


def masthead_of(publication: Publication) -> Masthead:
    """What an issue shows of its publication."""
    return Masthead(publication.name, publication.language, publication.postal_address, publication.theme)


def _assets(issue: IssueFile, now: datetime) -> list[Asset]:
    pictures = {picture.digest: picture for picture in issue.pictures.values()}
    return [
        Asset(digest=digest, media_type=picture.media_type, content=picture.content, created_at=now)
        for digest, picture in pictures.items()
    ]
