"""The ledger: one row a recipient, in batches that one worker at a time takes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.functions import FunctionElement

from newsletter.models.base import Base, BigNumber, Key, word_enum

# A recipient's row is written three times. Where its page has room for that, and no index names what changes,
# PostgreSQL touches no index at all (heap-only tuples).
FILL_PERCENT = 40
VEILED = "forgotten:"


class DeliveryState(StrEnum):
    """A recipient's place in the ledger. `sent` and all that follow it are outcomes and stay."""

    PENDING = "pending"
    CLAIMED = "claimed"
    DEFERRED = "deferred"
    SENT = "sent"
    REJECTED = "rejected"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"
    UNCERTAIN = "uncertain"


OPEN_STATES = (DeliveryState.PENDING, DeliveryState.CLAIMED, DeliveryState.DEFERRED)


class Delivery(Base):
    """One mailing to one subscriber, at the address frozen when the mailing began.

    `deferred_since` is when a server first said “later”; `refusal` is the kind of a rejection (mail.refusals).
    The ledger's digests are over hashes of `email` and `reply` under `salt`, sixteen random bytes of its own; of
    somebody who was forgotten (audience.erasure) only these hashes are left, and the salt is gone.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("subscriber_id", "mailing_id"),
        {"postgresql_with": {"fillfactor": FILL_PERCENT}},
    )

    id: Mapped[Key]
    mailing_id: Mapped[BigNumber] = mapped_column(ForeignKey("mailings.id"))
    # No foreign key: what became of the mail of somebody who was forgotten stays counted.
    subscriber_id: Mapped[BigNumber]
    email: Mapped[str] = mapped_column(String(254))
    state: Mapped[DeliveryState] = mapped_column(word_enum(DeliveryState))
    attempts: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime | None]
    deferred_since: Mapped[datetime | None]
    claimed_by: Mapped[str | None] = mapped_column(String(32))
    settled_at: Mapped[datetime | None]
    refusal: Mapped[str | None] = mapped_column(String(20))
    reply: Mapped[str | None] = mapped_column(Text)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)


class Batch(Base):
    """A run of one mailing's deliveries, both ends included.

    `due_at` is when something of it may be sent next, None once every recipient has an outcome; `waits_for` is the
    recipients' domain whose pace holds up all that is left. While a worker has it, `taken_by` names that worker. A
    finished one is sealed: `seals` are eight bytes a recipient, `digest` ends the chain of them (sending.seal).
    Of a pruned one, whose deliveries are gone, `members` says who they were for (models.members).
    """

    __tablename__ = "batches"
    __table_args__ = (Index(None, "mailing_id", "due_at"), Index(None, "mailing_id", "taken_at"))

    id: Mapped[Key]
    mailing_id: Mapped[BigNumber] = mapped_column(ForeignKey("mailings.id"))
    first_id: Mapped[BigNumber]
    last_id: Mapped[BigNumber]
    size: Mapped[int]
    due_at: Mapped[datetime | None]
    waits_for: Mapped[str | None] = mapped_column(String(253))
    taken_by: Mapped[str | None] = mapped_column(String(32))
    taken_at: Mapped[datetime | None]
    seals: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    digest: Mapped[str | None] = mapped_column(String(64))
    members: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)


class new_salt(FunctionElement[bytes]):
    """Sixteen random bytes, others for each row."""

    type = LargeBinary()
    inherit_cache = True


@compiles(new_salt)
def _new_salt(_element: Any, _compiler: Any, **_: Any) -> str:
    return "randomblob(16)"


@compiles(new_salt, "postgresql")
def _new_salt_postgresql(_element: Any, _compiler: Any, **_: Any) -> str:
    return "uuid_send(gen_random_uuid())"


def veiled(words: str, salt: bytes | None) -> str:
    """The hash that stands for words in the ledger's digests; without a salt the words are that hash already."""
    return words if salt is None else VEILED + blake2b(words.encode(), key=salt, digest_size=32).hexdigest()


def of_mailing(mailing_id: int) -> tuple[ColumnElement[bool], ...]:
    """Whether a delivery is of a mailing, asked so that only the numbers of its batches are looked at."""
    first = select(Batch.first_id).where(Batch.mailing_id == mailing_id).order_by(Batch.first_id).limit(1)
    last = select(Batch.last_id).where(Batch.mailing_id == mailing_id).order_by(Batch.last_id.desc()).limit(1)
    between = Delivery.id.between(first.scalar_subquery(), last.scalar_subquery())
    return between, Delivery.mailing_id == mailing_id
