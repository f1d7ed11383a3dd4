"""Who reads: lists, subscribers, their subscriptions, addresses never mailed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import BIG, Base, BigNumber, Key, Moment, word_enum

# No foreign key: it would be looked up for each of a million rows, of an import that is never deleted.
MadeBy = Annotated[int | None, mapped_column(BIG)]


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
    """A person, by their normalised address. `import_id` is the import that made them known, if one did."""

    __tablename__ = "subscribers"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    first_name: Mapped[str] = mapped_column(String(200), default="")
    last_name: Mapped[str] = mapped_column(String(200), default="")
    attributes: Mapped[dict[str, str]] = mapped_column(JSON, default=dict)
    tags: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    import_id: Mapped[MadeBy]
    created_at: Mapped[Moment]


class SubscriptionStatus(StrEnum):
    """Whether a subscriber is mailed on a list."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"


class Subscription(Base):
    """A subscriber on a list, and how that came to be.

    `consent` says in words how they agreed. Where an earlier system told: when and from where they signed up
    (`opted_in_…`) and confirmed (`confirmed_…`).
    """

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
    opted_in_at: Mapped[datetime | None]
    opted_in_ip: Mapped[str | None] = mapped_column(String(45))
    confirmed_at: Mapped[datetime | None]
    confirmed_ip: Mapped[str | None] = mapped_column(String(45))
    import_id: Mapped[MadeBy]
    subscribed_at: Mapped[Moment]
    unsubscribed_at: Mapped[datetime | None]


class Suppression(Base):
    """An address that is never mailed, on any list. Only an import's own suppressions go when it is undone."""

    __tablename__ = "suppressions"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    reason: Mapped[str] = mapped_column(String(200))
    import_id: Mapped[MadeBy]
    created_at: Mapped[Moment]
