"""What is sent: a mailing, its links, and the ledger with one row a recipient."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import Base, BigNumber, Key, Moment, word_enum


class MailingStatus(StrEnum):
    """Where a mailing stands."""

    SCHEDULED = "scheduled"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    CANCELLED = "cancelled"


class Mailing(Base):
    """One issue to one audience at one time. `content` is the compiled issue, so that nothing changes mid-send."""

    __tablename__ = "mailings"
    __table_args__ = (Index(None, "status", "due_at"),)

    id: Mapped[Key]
    revision_id: Mapped[BigNumber] = mapped_column(ForeignKey("revisions.id"))
    list_id: Mapped[BigNumber] = mapped_column(ForeignKey("lists.id"), index=True)
    status: Mapped[MailingStatus] = mapped_column(word_enum(MailingStatus))
    subject: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(JSON, deferred=True)
    due_at: Mapped[Moment]
    audience_size: Mapped[int | None]
    audience_digest: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[Moment]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Link(Base):
    """A target that a mailing's readers may be redirected to, by its number in the message."""

    __tablename__ = "links"

    mailing_id: Mapped[BigNumber] = mapped_column(ForeignKey("mailings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(Text)


class DeliveryState(StrEnum):
    """A recipient's place in the ledger. `sent` and all that follow it are outcomes and stay."""

    PENDING = "pending"
    CLAIMED = "claimed"
    DEFERRED = "deferred"
    SENT = "sent"
    REJECTED = "rejected"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"


OPEN_STATES = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.DEFERRED)


class Delivery(Base):
    """One mailing to one subscriber, at the address frozen when the mailing began."""

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("mailing_id", "subscriber_id"),
        Index(None, "mailing_id", "state", "id"),
    )

    id: Mapped[Key]
    mailing_id: Mapped[BigNumber] = mapped_column(ForeignKey("mailings.id"))
    subscriber_id: Mapped[BigNumber] = mapped_column(ForeignKey("subscribers.id"), index=True)
    email: Mapped[str] = mapped_column(String(254))
    state: Mapped[DeliveryState] = mapped_column(word_enum(DeliveryState))
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(100))
    claimed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    reply: Mapped[str | None] = mapped_column(Text)
