"""The one form in which everything that comes back is told, wherever it came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What happened to a message that was sent."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    AUTO_REPLY = "auto-reply"


class Severity(StrEnum):
    """The class of a signal: whether it says by itself that the address is no good, or only together with others."""

    HARD = "hard"
    SOFT = "soft"


class Reason(StrEnum):
    """Why, in one word or two."""

    # The address: nobody there, no such domain, moved, switched off, takes no mail at all.
    UNKNOWN_USER = "unknown-user"
    UNKNOWN_DOMAIN = "unknown-domain"
    MOVED = "moved"
    INACTIVE = "inactive"
    NO_MAIL = "no-mail"
    # The mailbox is over its quota.
    FULL = "full"
    # The message, who sends it, how much of it at once.
    POLICY = "policy"
    CONTENT = "content"
    TOO_LARGE = "too-large"
    GREYLISTED = "greylisted"
    RATE = "rate"
    # The way there.
    NETWORK = "network"
    EXPIRED = "expired"
    OTHER = "other"
    # What people ask for.
    ABUSE = "abuse"
    OPT_OUT = "opt-out"
    # A receiver's report of failed authentication: nobody complained.
    AUTHENTICATION = "authentication"


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that happened to one recipient's message.

    Either `address` is known or `token`, which names the delivery: the local part of its Message-ID, or what a
    provider was given to hand back. `status` is an enhanced status (RFC 3463) or empty, `words` the other side's own,
    on one line. `event` names the event at its source: told twice, it has the same name. A `delayed` message is still
    being tried.
    """

    kind: Kind
    severity: Severity
    reason: Reason
    address: str = ""
    token: str = ""
    status: str = ""
    words: str = ""
    when: datetime | None = None
    event: str = ""
    delayed: bool = False
