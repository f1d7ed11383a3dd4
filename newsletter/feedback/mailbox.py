"""A mailbox that bounces lie in, over IMAP or POP3, and what goes wrong there in words that say what to do."""

from __future__ import annotations

import imaplib
import poplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from newsletter.errors import ConfigError, NewsletterError, UnavailableError
from newsletter.feedback.imap import ImapMailbox
from newsletter.feedback.pop3 import Pop3Mailbox
from newsletter.mailbox_url import MailboxAccount
from newsletter.text import one_line

# For each answer of the server.
PATIENCE_SECONDS = 20.0


class Mailbox(Protocol):
    """What both protocols can do. Messages keep their names (IMAP's UIDVALIDITY and UID, POP3's UIDL) for ever."""

    def names(self) -> list[str]:
        """What is there, the oldest first."""

    def read(self, name: str) -> bytes | None:
        """A message, or as much of it as matters; None for one that is gone or that the server cannot give now."""

    def delete(self, name: str) -> None:
        """Take a message away: at once over IMAP, at the end over POP3."""

    def close(self) -> None:
        """Say goodbye."""


@contextmanager
def open_mailbox(account: MailboxAccount) -> Iterator[Mailbox]:
    """An account's mailbox, closed at the end.

    Raises ConfigError for what must be mended in the settings: a wrong host, user, password or folder.
    UnavailableError where the server cannot be reached, is not to be trusted, or will not go on, then or later.
    """
    try:
        # Of this machine, and of SSL_CERT_FILE.
        context = ssl.create_default_context()
        mailbox: Mailbox = (ImapMailbox if account.is_imap else Pop3Mailbox)(account, context, PATIENCE_SECONDS)
        try:
            yield mailbox
        finally:
            mailbox.close()
    except (OSError, imaplib.IMAP4.error, poplib.error_proto) as error:
        raise _explained(error, account) from None
    except UnicodeError:
        raise ConfigError(f"bounce_fetch_url: {account.place}: the host or the folder cannot be sent so") from None


def _explained(error: Exception, account: MailboxAccount) -> NewsletterError:
    place = f"the mailbox {account.place}"
    match error:
        case socket.gaierror():
            return ConfigError(
                f"bounce_fetch_url: the host {account.host} is not found ({_words(error, account)}): mend its name"
            )
        case ssl.SSLCertVerificationError():
            return UnavailableError(
                f"{place} shows a certificate that is not to be trusted ({error.verify_message}): name the host as "
                "its certificate does, or have this machine trust its issuer"
            )
        case ssl.SSLError():
            plain = account.scheme.removesuffix("s")
            return UnavailableError(
                f"{place} cannot speak TLS there ({_words(error, account)}): where the port has STARTTLS, write "
                f"{plain}:// in bounce_fetch_url"
            )
        case OSError():
            return UnavailableError(
                f"{place} cannot be reached ({_words(error, account)}): check host, port and {account.scheme}:// in "
                "bounce_fetch_url"
            )
    return UnavailableError(
        f"{place} cannot be used: {_words(error, account)}; where this stays so, check port and {account.scheme}:// "
        "in bounce_fetch_url"
    )


def _words(error: Exception, account: MailboxAccount) -> str:
    """What went wrong in a few words. A server may answer with what it was sent: never with the password."""
    told = getattr(error, "strerror", None) or (error.args[0] if error.args else "")
    words = one_line(told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told))
    return words.replace(account.password, "…")[:300]
