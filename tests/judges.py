"""What others would say of our mail, by the programs they use."""

from __future__ import annotations

from base64 import b64encode
from functools import cache

import dkim
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.mail.dkim import DkimKey


@cache
def dkim_key(kind: str, domain: str) -> DkimKey:
    """A key of the kind `rsa` or `ed25519`, which is its selector too; the same one whenever asked for."""
    private_key = Ed25519PrivateKey.generate() if kind == "ed25519" else generate_private_key(65537, 2048)
    return DkimKey(domain, kind, private_key)


def signature_holds(message: bytes, number: int = 0) -> bool:
    """Whether dkimpy finds that the message has a signature of this number, counted from its top, and that it holds.

    It finds the public half of every `dkim_key` where DNS would have it.
    """
    try:
        return bool(dkim.DKIM(message).verify(number, _look_up))
    except dkim.DKIMException:
        return False


def _look_up(name: bytes, timeout: float) -> str:  # noqa: ARG001 - what dkimpy gives its resolver
    selector, _, domain = name.decode("ascii").rstrip(".").partition("._domainkey.")
    public = dkim_key(selector, domain).private_key.public_key()
    if selector == "ed25519":
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        raw = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k={selector}; p={b64encode(raw).decode('ascii')}"
