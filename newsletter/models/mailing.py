"""What is sent: a mailing, how it is to go out, and the links its readers may follow."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import Base, BigNumber, Key, Moment, word_enum

_SALT_BYTES = 32


class MailingStatus(StrEnum):
    """Where a mailing stands."""

    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"


class Mailing(Base):
    """One issue to one audience at one time. `content` is the compiled issue, so that nothing changes mid-send.

    `local_time` (08:00) sends at that hour in each subscriber's own zone, `window` (mon-fri 08:00-20:00) only within
    those hours of the publication's zone. With `canary` so many go first, and the rest once these were judged good.
    `segment` is the condition (audience.segments) that its audience was narrowed by. Once its deliveries are pruned,
    `receipt` says what became of them. Until the `reader_salt` is thrown away, events without a person can be told
    apart by reader. `recounted_at` is when its events were last judged and counted anew (tracking.recount).
    """

    __tablename__ = "mailings"
    __table_args__ = (Index(None, "status", "due_at"),)

    id: Mapped[Key]
    revision_id: Mapped[BigNumber] = mapped_column(ForeignKey("revisions.id"))
    list_id: Mapped[BigNumber] = mapped_column(ForeignKey("lists.id"), index=True)
    status: Mapped[MailingStatus] = mapped_column(word_enum(MailingStatus))
    subject: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    due_at: Mapped[Moment]
    local_time: Mapped[str | None] = mapped_column(String(5))
    window: Mapped[str | None] = mapped_column(String(60))
    canary: Mapped[int | None]
    segment: Mapped[str | None] = mapped_column(Text)
    canary_judged_at: Mapped[datetime | None]
    pause_reason: Mapped[str | None] = mapped_column(Text)
    audience_size: Mapped[int | None]
    audience_digest: Mapped[str | None] = mapped_column(String(64))
    outcomes_digest: Mapped[str | None] = mapped_column(String(64))
    receipt: Mapped[dict[str, Any] | None] = mapped_column(JSON, deferred=True)
    pruned_at: Mapped[datetime | None]
    reader_salt: Mapped[bytes | None] = mapped_column(
        LargeBinary, default=partial(secrets.token_bytes, _SALT_BYTES), deferred=True
    )
    recounted_at: Mapped[datetime | None]
    created_at: Mapped[Moment]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Link(Base):
    """A target that a mailing's readers may be redirected to, by its number in the message."""

    __tablename__ = "links"

    mailing_id: Mapped[BigNumber] = mapped_column(ForeignKey("mailings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(Text)


class LinkCorrection(Base):
    """A link that was given another target after it was sent."""

    __tablename__ = "link_corrections"

    id: Mapped[Key]
    mailing_id: Mapped[BigNumber] = mapped_column(ForeignKey("mailings.id"), index=True)
    number: Mapped[int]
    old_url: Mapped[str] = mapped_column(Text)
    new_url: Mapped[str] = mapped_column(Text)
    corrected_at: Mapped[Moment]
