"""Service mail: what readers are told about what they asked for."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import BIG, Base, BigNumber, Key, Moment, word_enum


class NoticeKind(StrEnum):
    """What a service mail says."""

    CONFIRM = "confirm"
    REMINDER = "reminder"
    ALREADY = "already"
    WELCOME = "welcome"
    NEW_ADDRESS = "new-address"
    OLD_ADDRESS = "old-address"


class Notice(Base):
    """One service mail to one person, sent once.

    It waits while it has a `due_at`; `claimed_at` is when a worker took it. `sent_at`, or else `reply`, says what
    became of it. Some carry a link to be answered (`answered_at`), and others are `about_id`, such a one.
    """

    __tablename__ = "notices"
    __table_args__ = (Index(None, "due_at"),)

    id: Mapped[Key]
    kind: Mapped[NoticeKind] = mapped_column(word_enum(NoticeKind))
    subscriber_id: Mapped[BigNumber] = mapped_column(ForeignKey("subscribers.id"), index=True)
    list_id: Mapped[BigNumber] = mapped_column(ForeignKey("lists.id"))
    about_id: Mapped[int | None] = mapped_column(BIG)
    email: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[Moment]
    due_at: Mapped[datetime | None]
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    reply: Mapped[str | None] = mapped_column(Text)
