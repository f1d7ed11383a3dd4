"""Who reads: lists, subscribers, their subscriptions, the imports they came by, addresses never mailed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import Base, BigNumber, Key, Moment, word_enum


class List(Base):
    """A named audience of one publication. `attribute_names` are the extra columns its imports brought."""

    __tablename__ = "lists"

    id: Mapped[Key]
    publication_id: Mapped[BigNumber] = mapped_column(ForeignKey("publications.id"), index=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    attribute_names: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[Moment]


class Subscriber(Base):
    """A person, by their normalised address."""

    __tablename__ = "subscribers"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    first_name: Mapped[str] = mapped_column(String(200), default="")
    last_name: Mapped[str] = mapped_column(String(200), default="")
    attributes: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    created_at: Mapped[Moment]


class SubscriptionStatus(StrEnum):
    """Whether a subscriber is mailed on a list."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"


class Subscription(Base):
    """A subscriber on a list, and how that came to be."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        UniqueConstraint("list_id", "subscriber_id"),
        Index(None, "list_id", "status", "subscriber_id"),
    )

    id: Mapped[Key]
    list_id: Mapped[BigNumber] = mapped_column(ForeignKey("lists.id"))
    subscriber_id: Mapped[BigNumber] = mapped_column(ForeignKey("subscribers.id"), index=True)
    status: Mapped[SubscriptionStatus] = mapped_column(word_enum(SubscriptionStatus))
    consent: Mapped[str] = mapped_column(Text)
    subscribed_at: Mapped[Moment]
    unsubscribed_at: Mapped[datetime | None]


class Suppression(Base):
    """An address that is never mailed, on any list."""

    __tablename__ = "suppressions"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    reason: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[Moment]


class Import(Base):
    """One file's rows put on a list, with what became of them."""

    __tablename__ = "imports"

    id: Mapped[Key]
    list_id: Mapped[BigNumber] = mapped_column(ForeignKey("lists.id"), index=True)
    file_name: Mapped[str] = mapped_column(String(255))
    rows: Mapped[int]
    added: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    kept_unsubscribed: Mapped[int]
    refused: Mapped[int]
    created_at: Mapped[Moment]
