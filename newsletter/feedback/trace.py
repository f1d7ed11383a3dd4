"""Whose message it was: by our tokens, or by an address that was sent something lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.errors import InputError
from newsletter.mail.addresses import normalise
from newsletter.mail.verp import Verp
from newsletter.models import Delivery, DeliveryState, Subscriber
from newsletter.signing import Purpose, Signer
from newsletter.tracking.deliveries import find_recipient
from newsletter.tracking.tokens import Target, read_token

# Servers try for five days at most (RFC 5321 section 4.5.4.1); readers complain about what is some weeks old.
LATELY = timedelta(days=30)
_LEFT_US = (DeliveryState.SENT, DeliveryState.UNCERTAIN)


@dataclass(frozen=True, slots=True)
class Found:
    """Whose delivery a signal is about; `proven` where a token of ours says so. `email` is where the message went."""

    mailing_id: int
    delivery_id: int
    list_id: int
    subscriber_id: int
    email: str
    proven: bool


class Traces:
    """Reads the tokens that our messages carry, in envelopes to `mailbox` and in Message-IDs."""

    def __init__(self, secret: bytes, mailbox: str | None) -> None:
        self.mailbox = mailbox
        self._messages = Signer(secret, Purpose.MESSAGE_ID)
        self._envelopes = Verp(secret, mailbox) if mailbox else None

    def envelope(self, address: str) -> Target | None:
        """The delivery whose envelope sender an address is."""
        found = self._envelopes.open(address) if self._envelopes else None
        return Target(found.mailing_id, found.delivery_id) if found else None

    def message(self, token: str) -> Target | None:
        """The delivery whose Message-ID has this local part."""
        return read_token(self._messages, token)


def find(session: Session, target: Target | None, address: str, now: datetime) -> Found | None:
    """The delivery a token names, else the latest one that went to `address` lately; None where there is none."""
    proven = target is not None
    target = target or _latest_to(session, address, now)
    recipient = find_recipient(session, target) if target else None
    if recipient is None:
        return None
    email = session.scalar(select(Delivery.email).where(Delivery.id == recipient.delivery_id)) or session.scalar(
        select(Subscriber.email).where(Subscriber.id == recipient.subscriber_id)
    )
    if email is None:
        return None
    numbers = recipient.mailing_id, recipient.delivery_id, recipient.list_id, recipient.subscriber_id
    return Found(*numbers, email, proven)


def _latest_to(session: Session, address: str, now: datetime) -> Target | None:
    try:
        email = normalise(address)
    except InputError:
        return None
    row = session.execute(
        select(Delivery.mailing_id, Delivery.id)
        .join(Subscriber, Subscriber.id == Delivery.subscriber_id)
        .where(
            Subscriber.email == email,
            Delivery.email == email,
            Delivery.state.in_(_LEFT_US),
            Delivery.settled_at >= now - LATELY,
        )
        .order_by(Delivery.settled_at.desc())
        .limit(1)
    ).first()
    return Target(*row) if row else None
