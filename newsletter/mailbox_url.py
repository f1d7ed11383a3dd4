"""A mailbox written as a URL: `imaps://user:password@host/FOLDER` or `pop3s://user:password@host`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import unquote

from pydantic import SecretStr

from newsletter.server_url import ENCODE, StartTls, asked_starttls, checked_by, is_loopback, read_place

EXPECTED = (
    "imaps://user:password@host[:port][/FOLDER], pop3s://user:password@host[:port], "
    "or imap:// or pop3:// with [?starttls=never|required]"
)
INBOX = "INBOX"
# RFC 8314 section 3 and RFC 3501, RFC 1939.
_PORTS = {"imaps": 993, "pop3s": 995, "imap": 143, "pop3": 110}
# In a command's line these would begin another command.
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class MailboxAccount:
    """Where mail is read, and as whom. `folder` is of IMAP alone."""

    scheme: str
    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str = INBOX
    starttls: bool = False

    @property
    def is_imap(self) -> bool:
        return self.scheme.startswith("imap")

    @property
    def implicit_tls(self) -> bool:
        return self.scheme.endswith("s")

    @property
    def place(self) -> str:
        """The account without its secrets, for messages to people."""
        return f"{self.scheme}://{self.host}:{self.port}{f'/{self.folder}' if self.is_imap else ''}"


def parse_mailbox_url(url: str) -> MailboxAccount:
    """Read a mailbox's URL.

    Without TLS from the start STARTTLS is required (RFC 2595), but on the loopback interface. Raises ValueError that
    says what is wrong and quotes nothing, since a slip of the pen makes any part of the URL the password.
    """
    if not url.startswith(tuple(f"{scheme}://" for scheme in _PORTS)):
        raise ValueError("it starts with none of imaps://, imap://, pop3s:// and pop3://")
    parts, host, port = read_place(url)
    if not parts.username or not parts.password:
        raise ValueError("it names no user or no password")
    username, password, folder = unquote(parts.username), unquote(parts.password), unquote(parts.path[1:])
    if any(_CONTROL.search(text) for text in (username, password, folder)):
        raise ValueError("its user, its password or its folder has a line break or another sign that is not written")
    if parts.fragment or (folder and not parts.scheme.startswith("imap")):
        raise ValueError(f"something follows the port ({ENCODE})")
    return MailboxAccount(
        scheme=parts.scheme,
        host=host,
        port=port or _PORTS[parts.scheme],
        username=username,
        password=password,
        folder=folder or INBOX,
        starttls=_starttls(parts.query, parts.scheme, host),
    )


def _starttls(query: str, scheme: str, host: str) -> bool:
    asked = asked_starttls(query)
    if scheme.endswith("s"):
        if asked is not None:
            raise ValueError(f"{scheme}:// is TLS from the start: leave starttls out")
        return False
    if asked not in (None, StartTls.NEVER, StartTls.REQUIRED):
        raise ValueError("starttls is not one of never and required")
    return asked == StartTls.REQUIRED if asked else not is_loopback(host)


MailboxUrl = Annotated[SecretStr, checked_by(parse_mailbox_url, EXPECTED)]
