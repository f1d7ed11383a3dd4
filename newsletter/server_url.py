"""What the URLs of our mail servers have in common: host and port, STARTTLS, and errors that quote no password."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator, SecretStr

ENCODE = "in a password, write : / ? # @ and % as %3A %2F %3F %23 %40 and %25"


class StartTls(StrEnum):
    """When the plain connection is turned into TLS (RFC 3207, RFC 2595)."""

    NEVER = "never"
    AUTO = "auto"
    REQUIRED = "required"


class Place(NamedTuple):
    """The parts of a URL, the host and the port it names."""

    parts: SplitResult
    host: str
    port: int | None


def read_place(url: str) -> Place:
    """Split a server's URL. Raises ValueError, which quotes nothing of it, where there is no host to be read."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"its host or port cannot be read ({ENCODE})") from None
    if not parts.hostname:
        raise ValueError("it names no host")
    return Place(parts, parts.hostname, port)


def asked_starttls(query: str) -> str | None:
    """What a URL's one parameter says, None where it is left out. Raises ValueError for any other parameter."""
    options = dict(parse_qsl(query, keep_blank_values=True))
    asked = options.pop("starttls", None)
    if options:
        raise ValueError(f"it has a parameter that is not starttls ({ENCODE})")
    return asked


def is_loopback(host: str) -> bool:
    """Whether what is sent to a host stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def checked_by(parse: Callable[[str], object], expected: str) -> AfterValidator:
    """A setting's validator: what `parse` finds wrong with a URL, and what is `expected` in its place."""

    def check(url: SecretStr) -> SecretStr:
        try:
            parse(url.get_secret_value())
        except ValueError as error:
            raise ValueError(f"{error}; expected {expected}") from None
        return url

    return AfterValidator(check)
