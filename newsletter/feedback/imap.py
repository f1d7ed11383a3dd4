"""A mailbox over IMAP (RFC 3501)."""

from __future__ import annotations

import imaplib
import re
import ssl
from base64 import b64encode
from contextlib import suppress

from newsletter.errors import ConfigError, UnavailableError
from newsletter.feedback.mime import MAX_BYTES
from newsletter.mailbox_url import MailboxAccount

_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


class ImapMailbox:
    """One folder. Nothing in it is marked as read; a message is named by UIDVALIDITY and UID (section 2.3.1.1)."""

    def __init__(self, account: MailboxAccount, context: ssl.SSLContext, patience_seconds: float) -> None:
        """Raises ConfigError for a wrong password or folder, and what imaplib raises."""
        self._account = account
        self._context = context
        self._patience_seconds = patience_seconds
        self._validity = self._open()

    def names(self) -> list[str]:
        """Messages that somebody marked as deleted are left alone."""
        found = self._asked("SEARCH", "UNDELETED")
        return [f"{self._validity}.{uid.decode()}" for uid in (found[0] or b"").split()]

    def read(self, name: str) -> bytes | None:
        """The first mebibyte."""
        try:
            kind, found = self._server.uid("FETCH", _uid(name), f"(BODY.PEEK[]<0.{MAX_BYTES}>)")
        except (OSError, imaplib.IMAP4.abort):
            # Some servers hang up over a message that they cannot read.
            self.close()
            if self._open() != self._validity:
                raise
            return None
        parts = [part[1] for part in found if isinstance(part, tuple)]
        return parts[0] if kind == "OK" and parts else None

    def delete(self, name: str) -> None:
        """Without UIDPLUS (RFC 4315) it is marked and goes when the folder is next cleared, for EXPUNGE takes all."""
        self._asked("STORE", _uid(name), "+FLAGS.SILENT", r"(\Deleted)")
        if self._has_uidplus:
            self._asked("EXPUNGE", _uid(name))

    def close(self) -> None:
        try:
            self._server.logout()
        except (OSError, imaplib.IMAP4.error):
            with suppress(OSError):
                self._server.shutdown()

    def _open(self) -> str:
        """A session in the folder, and the folder's UIDVALIDITY."""
        host, port, seconds = self._account.host, self._account.port, self._patience_seconds
        if self._account.implicit_tls:
            self._server: imaplib.IMAP4 = imaplib.IMAP4_SSL(host, port, ssl_context=self._context, timeout=seconds)
        else:
            self._server = imaplib.IMAP4(host, port, timeout=seconds)
        try:
            if self._account.starttls:
                self._server.starttls(ssl_context=self._context)
            self._log_in()
            # Before the login servers name a part of what they can do.
            self._has_uidplus = b"UIDPLUS" in b" ".join(self._server.capability()[1]).upper().split()
            return self._select()
        except BaseException:
            self.close()
            raise

    def _log_in(self) -> None:
        user, password = self._account.username, self._account.password
        try:
            if f"{user}{password}".isascii():
                self._server.login(_quoted(user), password)
            else:
                # LOGIN takes ASCII alone (RFC 4616 section 2).
                self._server.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            raise ConfigError(
                f"bounce_fetch_url: {self._account.place} refused the user name and password: mend them, or make a "
                "password for programs there"
            ) from None

    def _select(self) -> str:
        try:
            kind, _ = self._server.select(_quoted(_utf7(self._account.folder)))
        except imaplib.IMAP4.readonly:
            kind = "NO"
        if kind != "OK":
            raise ConfigError(
                f"bounce_fetch_url: {self._account.place}: there is no folder “{self._account.folder}” in which this "
                "user may delete messages: name another after the host"
            )
        validity = self._server.response("UIDVALIDITY")[1][0]
        if not isinstance(validity, bytes):
            raise imaplib.IMAP4.error("its messages have no lasting names (no UIDVALIDITY)")
        return validity.decode()

    def _asked(self, command: str, *arguments: str) -> list[bytes]:
        kind, found = self._server.uid(command, *arguments)
        if kind != "OK":
            words = b" ".join(part for part in found if isinstance(part, bytes)).decode("utf-8", "replace")
            raise UnavailableError(f"the mailbox {self._account.place} refuses {command}: {words[:300]}")
        return found


def _uid(name: str) -> str:
    return name.rpartition(".")[2]


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _utf7(folder: str) -> str:
    """A folder's name as IMAP writes it (section 5.1.3): what is not ASCII in UTF-16 and base64, between & and -."""

    def encoded(found: re.Match[str]) -> str:
        packed = b64encode(found[0].encode("utf-16-be")).decode().rstrip("=")
        return f"&{packed.replace('/', ',')}-"

    return _UNPRINTABLE.sub(encoded, folder.replace("&", "&-"))
