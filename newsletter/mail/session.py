"""An SMTP session opened: greeted, secured, logged in (RFC 5321, RFC 3207, RFC 4954); what its server offers, and how
messages are put to it accordingly (RFC 1870, RFC 2920, RFC 3030, RFC 6531)."""

from __future__ import annotations

import re
import smtplib
import ssl
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread
from typing import Self

from newsletter.errors import ConfigError, UnavailableError
from newsletter.mail.outcome import Envelope, in_words
from newsletter.server_url import StartTls
from newsletter.smtp_url import SmtpAccount
from newsletter.text import one_line

_LEADING_STOP = re.compile(rb"(?m)^\.")


@dataclass(frozen=True, slots=True)
class Features:
    """What a server offers; `size` is the most bytes it takes (RFC 1870), 0 without a limit, None without SIZE."""

    pipelining: bool
    chunking: bool
    smtputf8: bool
    size: int | None

    @classmethod
    def of(cls, session: smtplib.SMTP) -> Self:
        """As the server answered EHLO."""
        size = session.esmtp_features.get("size")
        return cls(
            pipelining=session.has_extn("pipelining"),
            chunking=session.has_extn("chunking"),
            smtputf8=session.has_extn("smtputf8"),
            size=None if size is None else int(size) if size.isdecimal() else 0,
        )

    def objection(self, envelope: Envelope) -> str:
        """Why the server cannot take an envelope; empty where it can."""
        if self.size and len(envelope.data) > self.size:
            return f"the message has {len(envelope.data)} bytes and the server takes {self.size} (SIZE)"
        if not self.smtputf8 and _needs_smtputf8(envelope):
            return "the server does not take addresses outside ASCII (no SMTPUTF8)"
        return ""

    def announcement(self, envelope: Envelope) -> bytes:
        """The commands that come before a message's data: MAIL, RCPT and, unless data goes in chunks, DATA."""
        size = f" SIZE={len(envelope.data)}" if self.size is not None else ""
        utf8 = " SMTPUTF8" if _needs_smtputf8(envelope) else ""
        data = "" if self.chunking else "DATA\r\n"
        return f"MAIL FROM:<{envelope.mail_from}>{size}{utf8}\r\nRCPT TO:<{envelope.rcpt_to}>\r\n{data}".encode()

    def body(self, data: bytes) -> tuple[bytes, bytes]:
        """A message's data as it is sent: in one chunk, or with stuffed dots and an end (RFC 5321 section 4.5.2)."""
        if self.chunking:
            return b"BDAT %d LAST\r\n" % len(data), data
        # CPython looks for so short a string in a third of the time from the end.
        if data.rfind(b"\n.") >= 0 or data.startswith(b"."):
            data = _LEADING_STOP.sub(b"..", data)
        is_whole = not data or data.endswith(b"\r\n")
        return data, b".\r\n" if is_whole else b"\r\n.\r\n"


def _needs_smtputf8(envelope: Envelope) -> bool:
    """Whether only a server with SMTPUTF8 can take this envelope."""
    return not (envelope.mail_from.isascii() and envelope.rcpt_to.isascii())


def open_session(account: SmtpAccount, timeout_seconds: float) -> smtplib.SMTP:
    """A session that is ready for MAIL.

    Raises UnavailableError when the server cannot be reached or will not talk, ConfigError when it refuses the
    user name and password or these cannot be sent.
    """
    place = account.place
    try:
        return _greeted(account, timeout_seconds)
    except smtplib.SMTPAuthenticationError as error:
        raise ConfigError(f"{place} refused the user name and password ({error.smtp_code})") from None
    except (OSError, smtplib.SMTPException) as error:
        raise UnavailableError(f"the SMTP server {place} cannot be used: {_reason(error)}") from None
    except UnicodeError:
        raise ConfigError(f"{place}: the host, the user name or the password cannot be sent as ASCII") from None


def open_in_background(account: SmtpAccount, timeout_seconds: float) -> Future[smtplib.SMTP]:
    """What becomes of `open_session` in a thread of its own."""
    opening: Future[smtplib.SMTP] = Future()

    def work() -> None:
        try:
            opening.set_result(open_session(account, timeout_seconds))
        except Exception as error:
            opening.set_exception(error)

    Thread(target=work, name="smtp-opening", daemon=True).start()
    return opening


def _greeted(account: SmtpAccount, timeout_seconds: float) -> smtplib.SMTP:
    if account.implicit_tls:
        context = ssl.create_default_context()
        server: smtplib.SMTP = smtplib.SMTP_SSL(account.host, account.port, timeout=timeout_seconds, context=context)
    else:
        server = smtplib.SMTP(account.host, account.port, timeout=timeout_seconds)
    try:
        _introduce(server, account)
    except BaseException:
        server.close()
        raise
    return server


def _introduce(server: smtplib.SMTP, account: SmtpAccount) -> None:
    server.ehlo_or_helo_if_needed()
    if account.starttls is not StartTls.NEVER and server.has_extn("starttls"):
        server.starttls(context=ssl.create_default_context())
        server.ehlo()
    elif account.starttls is StartTls.REQUIRED:
        raise smtplib.SMTPNotSupportedError("it does not offer STARTTLS, which the settings require")
    if account.username is not None:
        server.login(account.username, account.password or "")


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return in_words(error.smtp_code, words if isinstance(words, bytes) else words.encode())
    return one_line(getattr(error, "strerror", None) or str(error))
