"""What readers did, as it was seen; one row a thing seen, whatever it is later judged to be."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import Base, BigNumber, Key, Moment, word_enum


class EventKind(StrEnum):
    """What was seen."""

    OPEN = "open"
    CLICK = "click"
    UNSUBSCRIBE = "unsubscribe"


class Event(Base):
    """Something a reader did with a delivery. `source` is unique, so that noting it twice changes nothing."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "mailing_id", "kind", "delivery_id"),)

    id: Mapped[Key]
    mailing_id: Mapped[BigNumber] = mapped_column(ForeignKey("mailings.id"))
    # No foreign key: events outlive the deliveries of a mailing that is pruned.
    delivery_id: Mapped[BigNumber] = mapped_column(index=True)
    kind: Mapped[EventKind] = mapped_column(word_enum(EventKind))
    link_number: Mapped[int | None]
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    occurred_at: Mapped[Moment]
    source: Mapped[str] = mapped_column(String(64), unique=True)
