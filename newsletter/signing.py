"""Short signed tokens, each bound to one purpose.

A token seals two integers. It reads as noise: the numbers are masked with a keystream that depends on their tag (the
SIV construction, RFC 5297 section 1.3.1), so a token says neither who it was made for nor how many there are, and the
same numbers always give the same token. The tag, of the numbers and the purpose, and the keystream are one block of
AES each, under keys of their own: what goes in is one block too, where AES by itself is a pseudo-random function.
"""

from __future__ import annotations

import hmac
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from enum import StrEnum
from struct import Struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import ECB

TOKEN_LENGTH = 32
# The URL-safe alphabet (RFC 4648 section 5) in place of the other, whose own signs mean nothing here.
_TO_URL, _FROM_URL = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_+/", b"+/??")
_NUMBERS = Struct(">IQ")
# 96 bits of tag, and the numbers masked.
_TOKEN = Struct(">12sIQ")
# Blocks of 16 bytes: a tag to make a keystream of, and that keystream as masks of the numbers.
_TAG, _MASKS = "12s4x", "IQ4x"
_ONE_TAG, _ONE_MASKS = Struct(_TAG), Struct(f">{_MASKS}")
_FOUR_TAGS, _FOUR_MASKS, _FOUR_TOKENS = Struct(_TAG * 4), Struct(f">{_MASKS * 4}"), Struct(">" + "12sIQ" * 4)


class Purpose(StrEnum):
    """What a token is good for; a token made for one purpose is refused for every other."""

    OPEN = "open"
    CLICK = "click"
    UNSUBSCRIBE = "unsubscribe"
    MESSAGE_ID = "message-id"
    CONFIRM = "confirm"
    VETO = "veto"
    PREFERENCES = "preferences"
    NOTICE_ID = "notice-id"


# Four bytes each, which fill a block after the numbers. A new purpose goes last: others are under way.
_LABELS = {purpose: place.to_bytes(4, "big") for place, purpose in enumerate(Purpose)}
# What each message carries a token for.
_SEALED_TOGETHER = (Purpose.OPEN, Purpose.CLICK, Purpose.UNSUBSCRIBE, Purpose.MESSAGE_ID)
_BETWEEN_NUMBERS = (b"", *(_LABELS[purpose] for purpose in _SEALED_TOGETHER))


class Signer:
    """Makes and reads the tokens of one purpose under one secret key."""

    __slots__ = ("_keystream", "_label", "_tag")

    def __init__(self, secret: bytes, purpose: Purpose) -> None:
        self._tag, self._keystream = _block_functions(secret)
        self._label = _LABELS[purpose]

    def seal(self, scope: int, subject: int) -> str:
        """A token of 32 URL-safe characters for `scope` (below 2**32) and `subject` (below 2**64)."""
        tag = self._tag(_NUMBERS.pack(scope, subject) + self._label)
        return _text(_TOKEN.pack(tag, *self._masked(tag, scope, subject)))

    def open(self, token: str) -> tuple[int, int] | None:
        """The numbers sealed in `token`; None for anything this signer did not make."""
        if len(token) != TOKEN_LENGTH:
            return None
        try:
            raw = a2b_base64(token.encode("ascii", "replace").translate(_FROM_URL))
        except ValueError:
            return None
        # Every sign is six bits of the token: whatever is none makes it shorter, and no token has two spellings.
        if len(raw) != _TOKEN.size:
            return None
        tag, *masked = _TOKEN.unpack(raw)
        numbers = self._masked(tag, *masked)
        ours = self._tag(_NUMBERS.pack(*numbers) + self._label)
        return numbers if hmac.compare_digest(ours[: len(tag)], tag) else None

    def _masked(self, tag: bytes, scope: int, subject: int) -> tuple[int, int]:
        """The numbers masked, or masked ones in the clear."""
        scope_mask, subject_mask = _ONE_MASKS.unpack(self._keystream(_ONE_TAG.pack(tag)))
        return scope ^ scope_mask, subject ^ subject_mask


class Sealer:
    """Makes the tokens that the four signers make, but all in one go, which takes half the time."""

    __slots__ = ("_keystream", "_tag")

    def __init__(self, secret: bytes) -> None:
        self._tag, self._keystream = _block_functions(secret)

    def seal(self, scope: int, subject: int) -> tuple[str, str, str, str]:
        """A token to open, to click, to unsubscribe, and for the Message-ID."""
        t, u, v, w = tags = _FOUR_TAGS.unpack(self._tag(_NUMBERS.pack(scope, subject).join(_BETWEEN_NUMBERS)))
        a, b, c, d, e, f, g, h = _FOUR_MASKS.unpack(self._keystream(_FOUR_TAGS.pack(*tags)))
        raw = _FOUR_TOKENS.pack(
            t, scope ^ a, subject ^ b,
            u, scope ^ c, subject ^ d,
            v, scope ^ e, subject ^ f,
            w, scope ^ g, subject ^ h,
        )  # fmt: skip
        text = _text(raw)
        return text[:32], text[32:64], text[64:96], text[96:]


def _block_functions(secret: bytes) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    """What makes tags and what makes keystreams."""
    return _block_function(secret, "token/tag"), _block_function(secret, "token/mask")


def _block_function(secret: bytes, label: str) -> Callable[[bytes], bytes]:
    """A keyed function of one block of 16 bytes, or of several, each by itself."""
    key = hmac.digest(secret, label.encode("ascii"), "sha256")
    # Nothing is encrypted here: that ECB shows equal blocks is what makes a function of it.
    return Cipher(AES256(key), ECB()).encryptor().update  # noqa: S305


def _text(raw: bytes) -> str:
    return b2a_base64(raw, newline=False).translate(_TO_URL).decode("ascii")
