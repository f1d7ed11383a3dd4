"""Envelope senders that say, when they come back as recipients, whose message it was (VERP).

A bounce goes to its message's envelope sender. So each message leaves with one of its own, as
`bounces+TOKEN@example.org`: whoever gets it may be lied to about the recipient, never about the delivery.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32decode, b32encode
from dataclasses import dataclass
from struct import Struct

# Mailing and delivery, as in every other token.
_NUMBERS = Struct(">IQ")
# Ten bytes: to forge one takes 2**79 tries over SMTP, and the local part stays below 64 signs (RFC 5321).
_MAC_LENGTH = 10
_TOKEN = re.compile(r"[a-z2-7]{36}")
_SEPARATOR = "+"


@dataclass(frozen=True, slots=True)
class Envelope:
    """The delivery that an envelope sender was made for."""

    mailing_id: int
    delivery_id: int


class Verp:
    """Makes and reads the envelope senders of one mailbox under one secret key."""

    __slots__ = ("_domain", "_key", "_local")

    def __init__(self, secret: bytes, mailbox: str) -> None:
        """`mailbox` is where bounces are read, such as `bounces@example.org`; its server delivers `+` addresses."""
        self._key = hmac.digest(secret, b"verp", "sha256")
        self._local, _, self._domain = mailbox.rpartition("@")

    def seal(self, mailing_id: int, delivery_id: int) -> str:
        """The envelope sender for `mailing_id` (below 2**32) and `delivery_id` (below 2**64).

        In base32, for mail servers on the way may change the case of letters.
        """
        numbers = _NUMBERS.pack(mailing_id, delivery_id)
        token = b32encode(numbers + self._mac(numbers)).rstrip(b"=").decode("ascii").lower()
        return f"{self._local}{_SEPARATOR}{token}@{self._domain}"

    def open(self, address: str) -> Envelope | None:
        """The delivery an address was made for, in any case; None for any that was not made here."""
        local, _, domain = address.strip("<> ").lower().rpartition("@")
        name, _, token = local.rpartition(_SEPARATOR)
        if (name, domain) != (self._local.lower(), self._domain.lower()) or not _TOKEN.fullmatch(token):
            return None
        raw = b32decode(token.upper() + "====")
        numbers, mac = raw[: _NUMBERS.size], raw[_NUMBERS.size :]
        return Envelope(*_NUMBERS.unpack(numbers)) if hmac.compare_digest(self._mac(numbers), mac) else None

    def _mac(self, numbers: bytes) -> bytes:
        return hmac.digest(self._key, numbers, "sha256")[:_MAC_LENGTH]
