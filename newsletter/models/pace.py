"""How fast SMTP accounts may send, held in SQL so that it holds across workers and restarts."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Double, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import Base, Moment


class Pace(Base):
    """What an account may send at once, to one recipients' domain (in IDNA's ASCII form) or (`domain` empty) in all.

    `tokens` are messages it might have sent at `counted_at`. Until `closed_until` nothing is sent; `closures` in a
    row make the next one longer, and `reason` says why.
    """

    __tablename__ = "paces"

    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    domain: Mapped[str] = mapped_column(String(253), primary_key=True)
    tokens: Mapped[float] = mapped_column(Double)
    counted_at: Mapped[Moment]
    closed_until: Mapped[datetime | None]
    closures: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None] = mapped_column(Text)


class DayCount(Base):
    """How many messages an account was given on a day (UTC)."""

    __tablename__ = "day_counts"

    account: Mapped[str] = mapped_column(String(64), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    messages: Mapped[int]
