"""Who was forgotten, by keyed hashes: enough to know an address again, and not to know whose it was."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from newsletter.models import Erasure

# The keyed hash of a normalised address, in hex.
Digest = Callable[[str], str]

WISH = "erased at their own wish"
_LABEL = b"erasure/address"


def address_digest(secret: bytes) -> Digest:
    """HMAC-SHA-256 (RFC 2104) of addresses under the installation's secret, whatever their capitals."""
    key = hmac.digest(secret, _LABEL, "sha256")
    return lambda email: hmac.digest(key, email.casefold().encode(), "sha256").hex()


def erased_digests(session: Session) -> frozenset[str]:
    """The hashes of all who were forgotten."""
    return frozenset(session.scalars(select(Erasure.digest)))


def lift(session: Session, digest: str) -> bool:
    """Let an address be known again, since its owner has come back. Whether it was forgotten."""
    found = session.execute(delete(Erasure).where(Erasure.digest == digest).returning(Erasure.digest))
    return found.first() is not None
