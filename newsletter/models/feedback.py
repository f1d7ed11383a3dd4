"""What came back about messages: bounces, complaints and requests, each once, and how many could not be used."""

from __future__ import annotations

from datetime import date

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import BIG, Base, Key, Moment


class SignalRecord(Base):
    """A signal (feedback.signal) about a delivery, kept once: `source` names it where it came from.

    `kind`, `severity` and `reason` are the signal's words; a message that is still tried has the kind `delay`.
    `status` is the enhanced status (RFC 3463), `words` the other side's own. `via` is the way: `smtp`, `mail`, or a
    provider's name.
    """

    __tablename__ = "signals"

    id: Mapped[Key]
    mailing_id: Mapped[int | None] = mapped_column(BIG, index=True)
    # No foreign keys: it outlives deliveries that are pruned; erasure takes it along.
    delivery_id: Mapped[int | None] = mapped_column(BIG)
    subscriber_id: Mapped[int | None] = mapped_column(BIG, index=True)
    via: Mapped[str] = mapped_column(String(20))
    kind: Mapped[str] = mapped_column(String(20))
    severity: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(20), default="")
    words: Mapped[str] = mapped_column(Text, default="")
    occurred_at: Mapped[Moment]
    source: Mapped[str] = mapped_column(String(128), unique=True)


class SignalCount(Base):
    """How many signals of a day (UTC) came by one way and could not be used, and why: `forged`, `unknown`, …"""

    __tablename__ = "signal_counts"

    via: Mapped[str] = mapped_column(String(20), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(20), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    signals: Mapped[int] = mapped_column(default=0)


class LeftMessage(Base):
    """A message in the bounce mailbox that was looked at and left for people, by the mailbox's name and its own.

    Kept for as long as it lies there, so that it is not read at every turn.
    """

    __tablename__ = "left_messages"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
