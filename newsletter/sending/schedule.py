"""A mailing is scheduled: one compiled issue, one list, one due time in SQL."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy.orm import Session

from newsletter.audience.lists import count_active
from newsletter.errors import InputError
from newsletter.models import Link, List, Mailing, MailingStatus, Revision
from newsletter.rendering.content import Content
from newsletter.rendering.merge import context_for, merge
from newsletter.sending.window import Window


@dataclass(frozen=True, slots=True)
class Manner:
    """How a mailing goes out: at an hour of each subscriber's own day, within a window, the first few as a canary."""

    local_time: time | None = None
    window: Window | None = None
    canary: int | None = None


AT_ONCE = Manner()


def schedule(
    session: Session,
    revision: Revision,
    mailing_list: List,
    content: Content,
    due_at: datetime,
    now: datetime,
    manner: Manner = AT_ONCE,
    segment: str | None = None,
) -> Mailing:
    """Schedule a mailing, to a segment of the list where its expression is given.

    Raises InputError for a list that nobody is on.
    """
    if count_active(session, mailing_list.id) == 0:
        raise InputError(f"nobody is on the list “{mailing_list.slug}”: import subscribers first")
    mailing = Mailing(
        revision_id=revision.id,
        list_id=mailing_list.id,
        status=MailingStatus.SCHEDULED,
        subject=merge(content.subject, context_for(content, {})),
        content=content.to_json(),
        due_at=due_at,
        local_time=f"{manner.local_time:%H:%M}" if manner.local_time else None,
        window=str(manner.window) if manner.window else None,
        canary=manner.canary,
        segment=segment,
        created_at=now,
    )
    session.add(mailing)
    session.flush()
    session.add_all(
        Link(mailing_id=mailing.id, number=number, url=url) for number, url in enumerate(content.links, start=1)
    )
    session.flush()
    return mailing
