"""Counts kept as events arrive, so that a report reads a few rows however many events there are."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import BIG, Base, word_enum
from newsletter.models.event import EventKind, Verdict


class Facet(StrEnum):
    """What events of a mailing are counted by."""

    ISSUE = "issue"
    LINK = "link"
    HOUR = "hour"
    DOMAIN = "domain"
    CLIENT = "client"


class Rollup(Base):
    """How many events of a kind and verdict a mailing has under one key of a facet; `readers` counts each once."""

    __tablename__ = "rollups"

    mailing_id: Mapped[int] = mapped_column(BIG, ForeignKey("mailings.id"), primary_key=True)
    kind: Mapped[EventKind] = mapped_column(word_enum(EventKind), primary_key=True)
    verdict: Mapped[Verdict] = mapped_column(word_enum(Verdict), primary_key=True)
    facet: Mapped[Facet] = mapped_column(word_enum(Facet), primary_key=True)
    key: Mapped[str] = mapped_column(String(253), primary_key=True)
    events: Mapped[int] = mapped_column(BIG, default=0)
    readers: Mapped[int] = mapped_column(BIG, default=0)
