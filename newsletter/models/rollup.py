"""Counts kept as events arrive, so that a report reads a few rows however many events there are."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import ForeignKey, String, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from newsletter.db import is_postgresql
from newsletter.models.base import BIG, Base, word_enum
from newsletter.models.event import EventKind, Verdict

# Nobody else locks by numbers like these: those of mailings go below it.
_LOCKS = 0x6E6C << 40


class Facet(StrEnum):
    """What events of a mailing are counted by."""

    ISSUE = "issue"
    LINK = "link"
    HOUR = "hour"
    DOMAIN = "domain"
    CLIENT = "client"


class Rollup(Base):
    """How many events of a kind and verdict a mailing has under one key of a facet; `readers` counts each once.

    `key` is empty for an issue, a link's number, an hour in UTC (2026-03-13T07), a domain or `other`, a family of
    clients (tracking.clients). Events that no reader can be told from are counted under no reader.
    """

    __tablename__ = "rollups"

    mailing_id: Mapped[int] = mapped_column(BIG, ForeignKey("mailings.id"), primary_key=True)
    kind: Mapped[EventKind] = mapped_column(word_enum(EventKind), primary_key=True)
    verdict: Mapped[Verdict] = mapped_column(word_enum(Verdict), primary_key=True)
    facet: Mapped[Facet] = mapped_column(word_enum(Facet), primary_key=True)
    key: Mapped[str] = mapped_column(String(253), primary_key=True)
    events: Mapped[int] = mapped_column(BIG, default=0)
    readers: Mapped[int] = mapped_column(BIG, default=0)


def lock_events(session: Session, mailing_ids: Iterable[int]) -> None:
    """Be the only one, until the transaction ends, to put in, judge or unlink events of these mailings.

    SQLite has one writer at a time by itself.
    """
    if is_postgresql(session):
        for mailing_id in sorted(mailing_ids):
            session.execute(select(func.pg_advisory_xact_lock(_LOCKS + mailing_id)))
