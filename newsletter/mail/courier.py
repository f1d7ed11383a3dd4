"""What passes between those who have messages and the connections that carry them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from newsletter.mail.outcome import Envelope, Outcome


class Lost(Exception):
    """The connection is of no more use; `reply` are the server's own words, if it had any."""

    def __init__(self, reason: str, reply: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


@dataclass(slots=True, eq=False)
class Parcel:
    """A message on its way; `key` is what its sender knows it by."""

    key: int
    envelope: Envelope


class Courier(Protocol):
    """Who has the messages and hears what becomes of them."""

    def next_parcel(self) -> Parcel | None:
        """The next message; None while there is none."""

    def leaving(self, slot: int, key: int) -> None:
        """The data of `key` is about to leave on connection `slot`: from here on silence means doubt."""

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:
        """What became of `key`."""


@dataclass(frozen=True, slots=True)
class Features:
    """What the server offers."""

    pipelining: bool
    smtputf8: bool
    size: bool


def needs_smtputf8(envelope: Envelope) -> bool:
    """Whether only a server with SMTPUTF8 (RFC 6531) can take this envelope."""
    return not (envelope.mail_from + envelope.rcpt_to).isascii()
