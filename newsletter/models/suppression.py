"""Whom no mail is ever sent to, and how every statement that sends or plans asks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, String, and_, exists, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.functions import FunctionElement

from newsletter.models.audience import MadeBy
from newsletter.models.base import Base, Key, Moment, word_enum


class SuppressionReason(StrEnum):
    """Why an address is not mailed."""

    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BLOCKED = "blocked"


class Suppression(Base):
    """An address that is never mailed, on any list; as `@example.org` all addresses of that domain.

    `source` says where that came from; with `expires_at` it holds until then. Only an import's own suppressions go
    when it is undone: whoever finds another reason for one of these clears its `import_id`.
    """

    __tablename__ = "suppressions"

    id: Mapped[Key]
    address: Mapped[str] = mapped_column(String(254), unique=True)
    reason: Mapped[SuppressionReason] = mapped_column(word_enum(SuppressionReason))
    source: Mapped[str] = mapped_column(String(200))
    expires_at: Mapped[datetime | None]
    import_id: Mapped[MadeBy]
    created_at: Mapped[Moment]


class Erasure(Base):
    """An address whose owner was forgotten: a keyed hash of it (hex), by which no import brings it back."""

    __tablename__ = "erasures"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    erased_at: Mapped[Moment]


class at_domain(FunctionElement[str]):
    """An address from its @ on."""

    type = String()
    inherit_cache = True


@compiles(at_domain)
def _at_domain(element: Any, compiler: Any, **options: Any) -> str:
    email = compiler.process(element.clauses, **options)
    return f"substr({email}, instr({email}, '@'))"


@compiles(at_domain, "postgresql")
def _at_domain_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    email = compiler.process(element.clauses, **options)
    return f"substr({email}, strpos({email}, '@'))"


def holds(suppression: type[Suppression], now: datetime) -> ColumnElement[bool]:
    """Whether a suppression (or an alias of it) has not run out."""
    return or_(suppression.expires_at.is_(None), suppression.expires_at > now)


def is_suppressed(email: Any, now: datetime) -> ColumnElement[bool]:
    """Whether the address in that column is not to be mailed now, by itself or with all of its domain."""
    return exists().where(Suppression.address.in_((email, at_domain(email))), holds(Suppression, now))


def is_mailable(email: Any, now: datetime) -> ColumnElement[bool]:
    """The opposite of `is_suppressed`, in the form that is answered fast for a whole list: it asks twice, each time
    for one address, and PostgreSQL then reads the suppressions once instead of for everybody."""
    return and_(
        *(~exists().where(Suppression.address == one, holds(Suppression, now)) for one in (email, at_domain(email)))
    )
