"""What came in over HTTP, what it takes to trust it, and the ways of trust that several services share."""

from __future__ import annotations

import binascii
import hmac
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from newsletter.errors import InputError

# Services try again for about so long what was not taken at once; what is older has been recorded and played again.
RETRIED_FOR = timedelta(days=1)
# How far ahead of ours a service's clock may be.
AHEAD = timedelta(minutes=5)


class Forged(InputError):
    """A webhook that the service it names did not send, or not now: nothing in it may change anything."""


@dataclass(frozen=True, slots=True)
class Request:
    """A POST as it arrived at `received`; header names in any case."""

    headers: Mapping[str, str]
    body: bytes
    received: datetime

    def header(self, name: str) -> str:
        """A header, empty where there is none."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class Settings:
    """What an account at a service is known by; each service's file says which of these it needs.

    `secret` is a signing key, a public key or the `user:password` of the webhook's address; `topics` are the topics
    whose notifications are ours; `certificate` is what the request's `certificate_url` led to, and `authorities` the
    certificates that may have issued it (both PEM).
    """

    secret: str = ""
    topics: tuple[str, ...] = ()
    certificate: bytes = b""
    authorities: bytes = b""


def check_password(request: Request, settings: Settings) -> None:
    """HTTP's basic authentication (RFC 7617) or a bearer token (RFC 6750), for services that sign nothing.

    Raises Forged for any other password, and where no secret is set.
    """
    scheme, _, given = request.header("authorization").partition(" ")
    if scheme.lower() == "basic":
        try:
            given = b64decode(given.strip(), validate=True).decode()
        except (binascii.Error, ValueError):
            raise Forged("the webhook's Authorization header is not basic authentication") from None
    elif scheme.lower() != "bearer":
        raise Forged("the webhook has no Authorization header: set a user and a password in its address")
    if not settings.secret or not hmac.compare_digest(given.strip().encode(), settings.secret.encode()):
        raise Forged("the webhook's password is not ours")


def check_mac(key: bytes, message: bytes, given: bytes) -> bool:
    """Whether `given` is the HMAC-SHA-256 of a message; never under an empty key."""
    return bool(key) and hmac.compare_digest(hmac.digest(key, message, "sha256"), given)


def check_fresh(when: datetime | None, received: datetime, within: timedelta = RETRIED_FOR) -> None:
    """Raise Forged for what was signed too long before it was received, or after."""
    if when is None:
        raise Forged("the webhook does not say when it was signed")
    if not received - within <= when <= received + AHEAD:
        raise Forged(f"the webhook was signed at {when:%Y-%m-%d %H:%M:%S} UTC: it has been played again")


def from_epoch(text: str) -> datetime | None:
    """A number of seconds since 1970 as a time; None for anything else."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None
