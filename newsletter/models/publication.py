"""Who writes: the name, addresses and manners of a newsletter."""

from __future__ import annotations

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.audience import Tracking
from newsletter.models.base import Base, Key, Moment, word_enum


class Publication(Base):
    """A newsletter as its readers know it; `tracking` is for those who chose nothing else."""

    __tablename__ = "publications"

    id: Mapped[Key]
    slug: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    from_email: Mapped[str] = mapped_column(String(254))
    reply_to: Mapped[str | None] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(35), default="en")
    timezone: Mapped[str] = mapped_column(String(64), default="UTC")
    postal_address: Mapped[str] = mapped_column(Text, default="")
    tracking: Mapped[Tracking] = mapped_column(word_enum(Tracking), default=Tracking.AGGREGATE)
    theme: Mapped[str] = mapped_column(String(64), default="magazine")
    created_at: Mapped[Moment]
