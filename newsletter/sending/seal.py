"""A hash chain over outcomes: whoever changes a recipient's row afterwards breaks it there.

Each row of a batch is hashed together with the hash before it (BLAKE2b, RFC 7693). The batch keeps the first eight
bytes of every hash, so that the first row that does not fit can be named, and the last hash whole.

Of the address and the server's reply not the words are hashed but their hashes under the row's salt. Somebody may so
be forgotten (audience.erasure): the hashes take the place of the words, the chain stays whole, and without the salt
nobody can try addresses on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from hashlib import blake2b, sha256
from typing import Any

from sqlalchemy import ColumnElement, String, select, type_coerce
from sqlalchemy.orm import Session

from newsletter.models import Delivery, veiled

SEAL_BYTES = 8
_COLUMNS = (
    Delivery.id,
    Delivery.subscriber_id,
    Delivery.email,
    type_coerce(Delivery.state, String),
    Delivery.attempts,
    Delivery.settled_at,
    Delivery.refusal,
    Delivery.reply,
    Delivery.salt,
)


def seal(session: Session, holds: ColumnElement[bool]) -> tuple[bytes, str]:
    """The seals of a batch's rows, eight bytes each in order of their numbers, and the digest that ends the chain."""
    seals = bytearray()
    last = b""
    for _, last in chain(session, holds):
        seals += last[:SEAL_BYTES]
    return bytes(seals), last.hex()


def chain(session: Session, holds: ColumnElement[bool]) -> Iterator[tuple[Any, bytes]]:
    """Each row with its hash, in order."""
    link = b""
    for row in session.execute(select(*_COLUMNS).where(holds).order_by(Delivery.id)):
        link = blake2b(_line(row), key=link, digest_size=32).digest()
        yield row, link


def digest_of(digests: Iterable[str]) -> str:
    """One SHA-256 over the digests of a mailing's batches."""
    return sha256("\n".join(digests).encode()).hexdigest()


def _line(row: Any) -> bytes:
    """A row as it is hashed; none of its columns can hold a space."""
    delivery_id, subscriber_id, email, state, attempts, settled_at, refusal, reply, salt = row
    moment = settled_at.isoformat() if settled_at else ""
    said = veiled(reply, salt) if reply else ""
    address = veiled(email, salt)
    return f"{delivery_id} {subscriber_id} {address} {state} {attempts} {moment} {refusal or ''} {said}".encode()
