"""What readers did, as it was seen; one row a thing seen, with what it is judged to be."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import BIG, Base, BigNumber, Key, Moment, word_enum

_HASH_BYTES = 16


class EventKind(StrEnum):
    """What was seen. A trap is a link that no person can see."""

    OPEN = "open"
    CLICK = "click"
    TRAP = "trap"
    UNSUBSCRIBE = "unsubscribe"


class Verdict(StrEnum):
    """Who did it: a person, a proxy that fetches for one, a machine that looks at everything."""

    PERSON = "person"
    PROXY = "proxy"
    MACHINE = "machine"


class Event(Base):
    """Something a reader did with a delivery. `source` is unique, so that noting it twice changes nothing.

    Where no person may be kept, `delivery_id` is None and `reader` alone tells one of a mailing's readers from
    another: a hash under a salt (Mailing.reader_salt) that is thrown away in time. `verdict` and its `reason` are
    derived, and can be derived again. `method` is HTTP's; `ip` goes once its retention is over. `domain` is that of a
    large mailbox provider, and `other` for any recipient whom another could name.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "mailing_id", "kind", "delivery_id"),
        # Few events have an address, and only these are looked for by it.
        Index(
            None, "ip", "occurred_at", postgresql_where=text("ip IS NOT NULL"), sqlite_where=text("ip IS NOT NULL")
        ),
    )

    id: Mapped[Key]
    mailing_id: Mapped[BigNumber] = mapped_column(ForeignKey("mailings.id"))
    # No foreign key: events outlive the deliveries of a mailing that is pruned.
    delivery_id: Mapped[int | None] = mapped_column(BIG, index=True)
    reader: Mapped[str] = mapped_column(String(22), default="", index=True)
    kind: Mapped[EventKind] = mapped_column(word_enum(EventKind))
    link_number: Mapped[int | None]
    method: Mapped[str] = mapped_column(String(8), default="GET")
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    ip: Mapped[str | None] = mapped_column(String(45))
    domain: Mapped[str] = mapped_column(String(253), default="other", server_default="other")
    verdict: Mapped[Verdict] = mapped_column(word_enum(Verdict), default=Verdict.PERSON)
    verdict_reason: Mapped[str] = mapped_column(String(40), default="")
    occurred_at: Mapped[Moment]
    source: Mapped[str] = mapped_column(String(64), unique=True)


def reader_name(salt: bytes | None, delivery_id: int) -> str:
    """The name (22 characters) of a delivery's reader under a mailing's salt; empty once the salt is gone."""
    if salt is None:
        return ""
    digest = hmac.digest(salt, str(delivery_id).encode("ascii"), "sha256")[:_HASH_BYTES]
    return urlsafe_b64encode(digest).decode("ascii").rstrip("=")


def unsubscribe_source(reader: str) -> str:
    """The source of what a reader's unsubscribing by one mailing is noted as: it is noted once."""
    return f"unsubscribe:{reader}"
