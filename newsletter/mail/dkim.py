"""DKIM signatures (RFC 6376) with RSA and SHA-256 (RFC 8301) or Ed25519 (RFC 8463).

Both canonicalisations are relaxed, so that a relay may fold a field anew or lose white space at the end of a line. A
body of quoted-printable pieces is its own relaxed form: signing it costs no more than hashing it.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

import idna
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from newsletter.errors import ConfigError
from newsletter.mail import headers
from newsletter.text import one_line

PrivateKey = RSAPrivateKey | Ed25519PrivateKey

# What is signed where a message has it (RFC 6376 section 5.4.1), and what nobody may add once more (section 8.15).
SIGNED = (
    *("from", "reply-to", "to", "subject", "date", "message-id", "mime-version", "content-type"),
    *("list-id", "list-unsubscribe", "list-unsubscribe-post"),
)
SEALED = ("from", "subject")
LEAST_RSA_BITS = 1024
GOOD_RSA_BITS = 2048
_LINE = 72

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE)
_SPACES = re.compile(rb"[ \t]+")
_SHA256, _PADDING = Prehashed(SHA256()), PKCS1v15()


@dataclass(frozen=True, slots=True)
class DkimKey:
    """A private key; whoever checks finds its public half in DNS, at `<selector>._domainkey.<domain>`."""

    domain: str
    selector: str
    private_key: PrivateKey = field(repr=False)

    @property
    def algorithm(self) -> str:
        return "rsa-sha256" if isinstance(self.private_key, RSAPrivateKey) else "ed25519-sha256"

    def sign(self, digest: bytes) -> bytes:
        """The signature of a SHA-256 digest."""
        if isinstance(self.private_key, RSAPrivateKey):
            return self.private_key.sign(digest, _PADDING, _SHA256)
        return self.private_key.sign(digest)


def keys_for(domain: str, keys: Iterable[DkimKey]) -> list[DkimKey]:
    """Those that sign for mail from a domain (ASCII): its own, and those of the domains above it."""
    return [key for key in keys if f".{domain}".endswith(f".{key.domain}")]


def load_key(domain: str, selector: str, pem: bytes, place: str) -> DkimKey:
    """The key in `pem`: Ed25519, or RSA of at least 1024 bits (RFC 8301 section 3.2), of which 2048 are better.

    The domain may be written in any script. Raises ConfigError, which names `place`, for anything else.
    """
    try:
        ascii_domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise ConfigError(f"{place}: the domain “{one_line(domain)}” cannot be written in ASCII: {error}") from None
    for kind, name in (("domain", ascii_domain), ("selector", selector)):
        if not _NAME.fullmatch(name):
            raise ConfigError(f"{place}: “{one_line(name)}” is no {kind}: use letters, digits, inner hyphens, dots")
    return DkimKey(ascii_domain.lower(), selector, _private_key(pem, place))


class DkimSigner:
    """Signs messages of which some header fields, and the start of the body, are the same every time.

    A header field is bytes that end in CRLF; those of `fixed` that are not in SIGNED go unsigned. `varying` names, in
    their order, the fields that `sign` is given each time; all of them are signed.
    """

    def __init__(self, keys: Iterable[DkimKey], fixed: Iterable[bytes], varying: Iterable[str], body_start: bytes):
        canonical = [header for header in map(relaxed, fixed) if _name_of(header) in SIGNED]
        names = [*map(_name_of, canonical), *map(str.lower, varying), *SEALED]
        self._fixed = b"".join(canonical)
        self._body_start, self._start_length = sha256(body_start), len(body_start)
        self._keys = [(key, _opening(key, names)) for key in keys]

    def sign(self, varying: Sequence[bytes], body: bytes, second: int) -> bytes:
        """The DKIM-Signature field of each key for one message, made at this `second` since 1970.

        `body` must be in its relaxed form (RFC 6376 section 3.4.4): lines end in CRLF, hold no white space but single
        spaces, none at the end, and the last is not empty.
        """
        body_hash = self._body_start.copy()
        body_hash.update(memoryview(body)[self._start_length :])
        rest = b"\r\n t=%d; bh=%s;\r\n b=" % (second, b64encode(body_hash.digest()))
        header_hash = sha256(self._fixed + b"".join(map(relaxed, varying)))
        fields: list[bytes] = []
        for key, opening in self._keys:
            own_hash = header_hash.copy()
            own_hash.update(relaxed(opening + rest)[:-2])
            fields += (opening, rest, _folded(b64encode(key.sign(own_hash.digest()))))
        return b"".join(fields)


def relaxed(header: bytes) -> bytes:
    """A header field in its relaxed form (RFC 6376 section 3.4.2)."""
    name, _, value = header.partition(b":")
    return name.rstrip().lower() + b":" + _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip() + b"\r\n"


def _name_of(canonical: bytes) -> str:
    return canonical.partition(b":")[0].decode("ascii")


def _opening(key: DkimKey, names: Iterable[str]) -> bytes:
    """A DKIM-Signature field up to what differs from message to message."""
    tags = f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={key.domain}; s={key.selector}; h={': '.join(names)};"
    return headers.field("DKIM-Signature", tags).rstrip().encode("ascii")


def _folded(value: bytes) -> bytes:
    return b"\r\n ".join(value[at : at + _LINE] for at in range(0, len(value), _LINE)) + b"\r\n"


def _private_key(pem: bytes, place: str) -> PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ConfigError(f"{place}: the key has a passphrase; take it off: openssl pkey -in OLD -out NEW") from None
    except (ValueError, UnsupportedAlgorithm):
        if b"PUBLIC KEY" in pem or b"CERTIFICATE" in pem:
            raise ConfigError(f"{place}: this is the public half; DKIM signs with the private key") from None
        raise ConfigError(f"{place}: this is no private key in PEM (-----BEGIN PRIVATE KEY-----)") from None
    if isinstance(key, RSAPrivateKey):
        if key.key_size < LEAST_RSA_BITS:
            raise ConfigError(f"{place}: an RSA key of {key.key_size} bits is refused; make one of {GOOD_RSA_BITS}")
    elif not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{place}: DKIM knows RSA and Ed25519 keys only, not {type(key).__name__}")
    return key
