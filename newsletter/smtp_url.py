"""An SMTP account written as a URL: `smtp://user:password@host:587?starttls=required` or `smtps://…`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import unquote

from pydantic import SecretStr

from newsletter.server_url import ENCODE, StartTls, asked_starttls, checked_by, is_loopback, read_place

EXPECTED = "smtp://[user:password@]host[:port][?starttls=never|auto|required] or smtps://…"

RELAY_PORT = 25
SUBMISSION_PORT = 587
IMPLICIT_TLS_PORT = 465


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
    parts, host, port = read_place(url)
    if parts.path not in ("", "/") or parts.fragment:
        raise ValueError(f"something follows the port ({ENCODE})")
    username = unquote(parts.username) if parts.username else None
    implicit_tls = parts.scheme == "smtps"
    return SmtpAccount(
        host=host,
        port=port or _default_port(implicit_tls, username),
        username=username,
        password=unquote(parts.password) if parts.password else None,
        implicit_tls=implicit_tls,
        starttls=_starttls(parts.query, host, implicit_tls, username),
    )


def _default_port(implicit_tls: bool, username: str | None) -> int:
    if implicit_tls:
        return IMPLICIT_TLS_PORT
    return SUBMISSION_PORT if username else RELAY_PORT


def _starttls(query: str, host: str, implicit_tls: bool, username: str | None) -> StartTls:
    asked = asked_starttls(query)
    if asked is not None:
        if asked not in list(StartTls):
            raise ValueError("starttls is not one of never, auto and required")
        return StartTls(asked)
    if implicit_tls or is_loopback(host):
        return StartTls.NEVER
    return StartTls.REQUIRED if username else StartTls.AUTO


SmtpUrl = Annotated[SecretStr, checked_by(parse_smtp_url, EXPECTED)]
