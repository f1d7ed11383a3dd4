"""Short signed tokens, each bound to one purpose.

A token seals two integers. It reads as noise: the numbers are masked with a keystream that depends on its
tag (the SIV construction, RFC 5297 section 1.3.1, built from keyed BLAKE2b, RFC 7693), so a token says neither who it
was made for nor how many there are, and the same numbers always give the same token.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum
from hashlib import blake2b
from struct import Struct

_BODY = Struct(">IQ")
_TAG_BYTES = 12
TOKEN_LENGTH = 32


class Purpose(StrEnum):
    """What a token is good for; a token made for one purpose is refused for every other."""

    OPEN = "open"
    CLICK = "click"
    UNSUBSCRIBE = "unsubscribe"
    MESSAGE_ID = "message-id"


class Signer:
    """Makes and reads the tokens of one purpose under one secret key."""

    __slots__ = ("_mask", "_tag")

    def __init__(self, secret: bytes, purpose: Purpose) -> None:
        # Copying a hash that has taken its key in is cheaper than keying one for every token.
        self._tag = blake2b(digest_size=_TAG_BYTES, key=_derive(secret, f"{purpose}/tag"))
        self._mask = blake2b(digest_size=_BODY.size, key=_derive(secret, f"{purpose}/mask"))

    def seal(self, scope: int, subject: int) -> str:
        """A token of 32 URL-safe characters for `scope` (below 2**32) and `subject` (below 2**64)."""
        body = _BODY.pack(scope, subject)
        tagged = self._tag.copy()
        tagged.update(body)
        tag = tagged.digest()
        return urlsafe_b64encode(tag + self._masked(body, tag)).decode("ascii")

    def open(self, token: str) -> tuple[int, int] | None:
        """The numbers sealed in `token`; None for anything this signer did not make."""
        if len(token) != TOKEN_LENGTH or not token.isascii():
            return None
        try:
            raw = urlsafe_b64decode(token)
        except ValueError:
            return None
        if len(raw) != _TAG_BYTES + _BODY.size:
            return None
        scope, subject = _BODY.unpack(self._masked(raw[_TAG_BYTES:], raw[:_TAG_BYTES]))
        # The whole token is compared, for base64 has other spellings of the same bytes.
        return (scope, subject) if hmac.compare_digest(self.seal(scope, subject), token) else None

    def _masked(self, body: bytes, tag: bytes) -> bytes:
        stream = self._mask.copy()
        stream.update(tag)
        return (int.from_bytes(body, "big") ^ int.from_bytes(stream.digest(), "big")).to_bytes(_BODY.size, "big")


def _derive(secret: bytes, label: str) -> bytes:
    return hmac.digest(secret, label.encode("ascii"), "sha256")
