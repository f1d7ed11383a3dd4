"""An SMTP account written as a URL: `smtp://user:password@host:587?starttls=required` or `smtps://…`."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, SecretStr

EXPECTED = "smtp://[user:password@]host[:port][?starttls=never|auto|required] or smtps://…"

ENCODE = "in a password, write : / ? # @ and % as %3A %2F %3F %23 %40 and %25"

RELAY_PORT = 25
SUBMISSION_PORT = 587
IMPLICIT_TLS_PORT = 465


class StartTls(StrEnum):
    """When the plain connection is turned into TLS (RFC 3207)."""

    NEVER = "never"
    AUTO = "auto"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True)
class SmtpAccount:
    """Where and as whom mail is handed over."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    implicit_tls: bool = False
    starttls: StartTls = StartTls.NEVER

    @property
    def place(self) -> str:
        """The account without its secrets, for messages to people."""
        return f"{'smtps' if self.implicit_tls else 'smtp'}://{self.host}:{self.port}"


def parse_smtp_url(url: str) -> SmtpAccount:
    """Read an SMTP URL.

    Without a `starttls` parameter TLS is required where a password would cross the network, used where offered
    otherwise, and never tried on the loopback interface. Raises ValueError that
    says what is wrong and quotes nothing, since a slip of the pen makes any part of the URL the password.
    """
    if not url.startswith(("smtp://", "smtps://")):
        raise ValueError("it starts with neither smtp:// nor smtps://")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"its host or port cannot be read ({ENCODE})") from None
    if not parts.hostname:
        raise ValueError("it names no host")
    if parts.path not in ("", "/") or parts.fragment:
        raise ValueError(f"something follows the port ({ENCODE})")
    username = unquote(parts.username) if parts.username else None
    implicit_tls = parts.scheme == "smtps"
    return SmtpAccount(
        host=parts.hostname,
        port=port or _default_port(implicit_tls, username),
        username=username,
        password=unquote(parts.password) if parts.password else None,
        implicit_tls=implicit_tls,
        starttls=_starttls(parts.query, parts.hostname, implicit_tls, username),
    )


def _default_port(implicit_tls: bool, username: str | None) -> int:
    if implicit_tls:
        return IMPLICIT_TLS_PORT
    return SUBMISSION_PORT if username else RELAY_PORT


def _starttls(query: str, host: str, implicit_tls: bool, username: str | None) -> StartTls:
    options = dict(parse_qsl(query, keep_blank_values=True))
    asked = options.pop("starttls", None)
    if options:
        raise ValueError(f"it has a parameter that is not starttls ({ENCODE})")
    if asked is not None:
        if asked not in list(StartTls):
            raise ValueError("starttls is not one of never, auto and required")
        return StartTls(asked)
    if implicit_tls or is_loopback(host):
        return StartTls.NEVER
    return StartTls.REQUIRED if username else StartTls.AUTO


def is_loopback(host: str) -> bool:
    """Whether what is sent to a host stays on this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked(url: SecretStr) -> SecretStr:
    try:
        parse_smtp_url(url.get_secret_value())
    except ValueError as error:
        raise ValueError(f"{error}; expected {EXPECTED}") from None
    return url


SmtpUrl = Annotated[SecretStr, AfterValidator(_checked)]
