"""Addresses and domains that are never mailed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from newsletter.errors import InputError
from newsletter.mail.addresses import normalise
from newsletter.models import Suppression, SuppressionReason, holds


def suppress(
    session: Session,
    address: str,
    reason: SuppressionReason,
    source: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> bool:
    """Never mail an address (normalised), or with `@example.org` a domain, again: for good, or until `expires_at`.

    Whether that is new. One that holds already is never shortened, and outlives the undoing of the import it came by.
    """
    known = session.scalar(select(Suppression).where(Suppression.address == address).with_for_update())
    if known is None:
        session.add(
            Suppression(address=address, reason=reason, source=source[:200], expires_at=expires_at, created_at=now)
        )
        session.flush()
        return True
    known.import_id = None
    if known.expires_at is not None and (expires_at is None or expires_at > known.expires_at):
        known.reason, known.source, known.expires_at = reason, source[:200], expires_at
    session.flush()
    return False


def release(session: Session, address: str) -> bool:
    """Let an address or a domain be mailed again. Whether it was suppressed."""
    found = session.execute(delete(Suppression).where(Suppression.address == address).returning(Suppression.id))
    return found.first() is not None


def is_blocked(session: Session, address: str, now: datetime) -> bool:
    """Whether an address is not to be mailed even where its owner asks for it: it bounced, complained or is barred.

    Who merely left may come back.
    """
    found = session.execute(
        select(Suppression.address, Suppression.reason).where(
            Suppression.address.in_((address, address[address.rindex("@") :])),
            holds(Suppression, now),
        )
    )
    return any(reason is not SuppressionReason.UNSUBSCRIBED or suppressed != address for suppressed, reason in found)


def has_left(session: Session, address: str, now: datetime) -> bool:
    """Whether the address is suppressed because its owner unsubscribed."""
    left = Suppression.reason == SuppressionReason.UNSUBSCRIBED
    found = select(Suppression.id).where(Suppression.address == address, left, holds(Suppression, now))
    return session.scalar(found) is not None


def welcome_back(session: Session, address: str) -> None:
    """Lift a suppression that the owner of the address brought about by unsubscribing."""
    left = Suppression.reason == SuppressionReason.UNSUBSCRIBED
    session.execute(delete(Suppression).where(Suppression.address == address, left))


def suppressible(words: str) -> str:
    """An address, or `@example.org` for a domain, in the form it is suppressed in. Raises InputError."""
    bare = words.strip()
    if not bare.startswith("@"):
        return normalise(bare)
    try:
        return "@" + normalise(f"anyone{bare}").rpartition("@")[2]
    except InputError:
        raise InputError(f"“{bare[:80]}” is not a domain: write it as @example.org") from None


def all_suppressions(session: Session, after: str, limit: int) -> list[Suppression]:
    """At most `limit` in the order of their addresses, those behind the address `after`."""
    found = select(Suppression).where(Suppression.address > after).order_by(Suppression.address).limit(limit)
    return list(session.scalars(found))
