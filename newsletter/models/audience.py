"""Who reads: lists, subscribers, their subscriptions, segments of them, addresses never mailed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from sqlalchemy import JSON, ColumnElement, Computed, ForeignKey, Index, String, Text, UniqueConstraint, and_, or_
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import BIG, IN_ORDER, PARTED_JSON, Base, BigNumber, Key, Moment, word_enum

# No foreign key: it would be looked up for each of a million rows, of an import that is never deleted.
MadeBy = Annotated[int | None, mapped_column(BIG)]


class OptIn(StrEnum):
    """Whether signing up is enough, or has to be confirmed from the mailbox."""

    SINGLE = "single"
    DOUBLE = "double"


class Tracking(StrEnum):
    """How much is kept of what readers do: nothing, counts without a person, or who did what."""

    OFF = "off"
    AGGREGATE = "aggregate"
    INDIVIDUAL = "individual"


class List(Base):
    """A named audience of one publication. `attribute_names` are the extra columns its imports brought.

    A public one is shown to readers, who may join it by themselves; `description` tells them what it is. `welcome` is
    what a new reader is told, in Markdown; empty for words of our own.
    """

    __tablename__ = "lists"

    id: Mapped[Key]
    publication_id: Mapped[BigNumber] = mapped_column(ForeignKey("publications.id"), index=True)
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    is_public: Mapped[bool] = mapped_column(default=False)
    opt_in: Mapped[OptIn] = mapped_column(word_enum(OptIn), default=OptIn.DOUBLE)
    welcome: Mapped[str] = mapped_column(Text, default="", server_default="")
    attribute_names: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[Moment]


class Subscriber(Base):
    """A person, by their normalised address. `import_id` is the import that made them known, if one did.

    `language` (BCP 47) and `timezone` (IANA) are empty where they are not known. `tracking` is what they chose; None
    leaves it to the publication. By `folded_email`, made by the database, people are found whatever their capitals.
    """

    __tablename__ = "subscribers"
    # A number is never given twice: links in the mail of somebody who was forgotten must lead to nobody.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    folded_email: Mapped[str] = mapped_column(
        IN_ORDER, Computed("lower(email)", persisted=True), index=True, deferred=True
    )
    first_name: Mapped[str] = mapped_column(String(200), default="")
    last_name: Mapped[str] = mapped_column(String(200), default="")
    language: Mapped[str] = mapped_column(String(35), default="", server_default="")
    timezone: Mapped[str] = mapped_column(String(64), default="", server_default="")
    attributes: Mapped[dict[str, str]] = mapped_column(PARTED_JSON, default=dict)
    tags: Mapped[list[str]] = mapped_column(PARTED_JSON, default=list, server_default="[]")
    tracking: Mapped[Tracking | None] = mapped_column(word_enum(Tracking))
    import_id: Mapped[MadeBy]
    created_at: Mapped[Moment]


class SubscriptionStatus(StrEnum):
    """Whether a subscriber is mailed on a list."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"


class Subscription(Base):
    """A subscriber on a list, and how that came to be.

    `consent` says in words how they agreed; when and from where they signed up (`opted_in_…`) and confirmed
    (`confirmed_…`), where that is known. Until `paused_until` they are not mailed, by their own wish.
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
    paused_until: Mapped[datetime | None]


def is_mailed(now: datetime) -> ColumnElement[bool]:
    """Whether a subscription has its subscriber mailed: an active one that is not paused at `now`."""
    return and_(
        Subscription.status == SubscriptionStatus.ACTIVE,
        or_(Subscription.paused_until.is_(None), Subscription.paused_until <= now),
    )


class ConsentAction(StrEnum):
    """What a person, or somebody for them, decided."""

    SIGN_UP = "sign-up"
    CONFIRM = "confirm"
    UNSUBSCRIBE = "unsubscribe"
    PAUSE = "pause"
    RESUME = "resume"
    TRACKING = "tracking"
    ADDRESS = "address"
    PROFILE = "profile"


class Consent(Base):
    """One decision in a subscriber's trail, kept as it was taken. `list_id` is None where it is about all lists.

    `wording` is what they were shown or what they said, `wording_version` names it; `by` is who did it: `reader`,
    `admin`, or what else. `ip` goes once its retention is over. `import_id` is the import it came by, if it did.
    """

    __tablename__ = "consents"

    id: Mapped[Key]
    subscriber_id: Mapped[BigNumber] = mapped_column(ForeignKey("subscribers.id"), index=True)
    list_id: Mapped[int | None] = mapped_column(BIG, ForeignKey("lists.id"))
    action: Mapped[ConsentAction] = mapped_column(word_enum(ConsentAction))
    wording: Mapped[str] = mapped_column(Text, default="")
    wording_version: Mapped[str] = mapped_column(String(64), default="")
    ip: Mapped[str | None] = mapped_column(String(45))
    by: Mapped[str] = mapped_column(String(100))
    import_id: Mapped[MadeBy]
    at: Mapped[Moment]


class Segment(Base):
    """A saved condition over subscribers, in the language of segments (audience.segments)."""

    __tablename__ = "segments"

    id: Mapped[Key]
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    expression: Mapped[str] = mapped_column(Text)
    created_at: Mapped[Moment]
