"""Service mail that waits to be sent, and the requests whose links are answered. `sending.notices` sends it."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.models import Notice, NoticeKind

# How long the link of a request may be answered.
LINK_LIFE = timedelta(days=7)
REMIND_AFTER = timedelta(days=2)


def add_notice(
    session: Session,
    kind: NoticeKind,
    subscriber_id: int,
    list_id: int,
    email: str,
    now: datetime,
    *,
    due_at: datetime | None = None,
    about: Notice | None = None,
) -> Notice:
    """Have a service mail sent: at once, or when it is due."""
    added = Notice(
        kind=kind,
        subscriber_id=subscriber_id,
        list_id=list_id,
        about_id=about.id if about else None,
        email=email,
        created_at=now,
        due_at=due_at or now,
        attempts=0,
    )
    session.add(added)
    session.flush()
    return added


def expires_at(request: Notice) -> datetime:
    """Until when a request may be answered."""
    return request.created_at + LINK_LIFE


def find_request(
    session: Session, kinds: tuple[NoticeKind, ...], request_id: int, expiry: int, *, lock: bool = False
) -> Notice | None:
    """The request that a link names by its number and by the second of its expiry, expired or not."""
    statement = select(Notice).where(Notice.id == request_id, Notice.kind.in_(kinds))
    found = session.scalar(statement.with_for_update() if lock else statement)
    return found if found and int(expires_at(found).timestamp()) == expiry else None


def request_of(session: Session, notice: Notice) -> Notice:
    """The request that a service mail is about: itself, where it is about no other."""
    return session.get_one(Notice, notice.about_id) if notice.about_id else notice


def is_open(request: Notice, now: datetime) -> bool:
    """Whether a request may still be answered."""
    return request.answered_at is None and now < expires_at(request)
