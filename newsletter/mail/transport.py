"""Hands messages to an SMTP server over one kept connection (RFC 5321)."""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from types import TracebackType
from typing import Self

from newsletter.errors import ConfigError, UnavailableError
from newsletter.mail.outcome import Envelope, Outcome, Verdict, in_words
from newsletter.smtp_url import SmtpAccount, StartTls
from newsletter.text import one_line

TIMEOUT_SECONDS = 60
SERVICE_CLOSING = 421
START_DATA = 354
NO_REPLY = -1  # smtplib's code for a line that is no SMTP reply
_LEADING_STOP = re.compile(rb"(?m)^\.")


class SmtpTransport:
    """One connection, opened when first needed and again when lost. Not for sharing between threads."""

    def __init__(self, account: SmtpAccount, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._account = account
        self._timeout = timeout_seconds
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def connect(self) -> None:
        """Make sure of a connection. Raises UnavailableError when the server cannot be reached or will not talk."""
        if self._server is None:
            self._server = self._open()

    def send(self, envelope: Envelope) -> Outcome:
        """One attempt for one recipient. A refusal is an outcome; raises UnavailableError without a connection."""
        kept = self._server is not None
        self.connect()
        try:
            outcome = self._transact(envelope)
            lost = outcome.reply.startswith(str(SERVICE_CLOSING))
        except (OSError, smtplib.SMTPException) as error:
            outcome, lost = Outcome(Verdict.DEFERRED, f"connection lost: {one_line(str(error))}"), True
        if not lost:
            return outcome
        self._drop()
        # A server hangs up on a connection that was idle for long; it has not taken the message, so once more.
        return self.send(envelope) if kept else outcome

    def close(self) -> None:
        """Say goodbye, if anyone still listens."""
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
            self._drop()

    def _transact(self, envelope: Envelope) -> Outcome:
        assert self._server is not None  # noqa: S101 - connect() has just made sure
        server = self._server
        options = ["SMTPUTF8"] if not (envelope.mail_from + envelope.rcpt_to).isascii() else []
        if options and not server.has_extn("smtputf8"):
            return Outcome(Verdict.REJECTED, "the server does not take addresses outside ASCII (no SMTPUTF8)")
        code, text = server.mail(envelope.mail_from, options)
        if _is_done(code):
            code, text = server.rcpt(envelope.rcpt_to)
        if not _is_done(code):
            return self._refused(server, code, text)
        code, text = server.docmd("DATA")
        if code != START_DATA:
            return self._refused(server, code, text)
        return self._send_data(server, envelope.data)

    def _send_data(self, server: smtplib.SMTP, data: bytes) -> Outcome:
        # Until send() returns, the final full stop has not left: a fault in it is no doubt about the message.
        server.send(_LEADING_STOP.sub(b"..", data) + b".\r\n")
        try:
            code, text = server.getreply()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            reason = one_line(str(error))
            return Outcome(Verdict.UNCERTAIN, f"connection lost before the server confirmed the message: {reason}")
        if _is_done(code):
            return Outcome(Verdict.SENT, in_words(code, text))
        if code == NO_REPLY:
            self._drop()
            return Outcome(Verdict.UNCERTAIN, f"the server's answer makes no sense: {in_words(code, text)}")
        return Outcome.of_reply(code, text)

    def _refused(self, server: smtplib.SMTP, code: int, text: bytes) -> Outcome:
        # The verdict stands, whatever becomes of the connection.
        try:
            reset, _ = server.rset() if code != SERVICE_CLOSING else (code, b"")
        except (OSError, smtplib.SMTPException):
            reset = NO_REPLY
        if not _is_done(reset):
            self._drop()
        return Outcome.of_reply(code, text)

    def _open(self) -> smtplib.SMTP:
        place = self._account.place
        try:
            return self._greeted()
        except smtplib.SMTPAuthenticationError as error:
            raise ConfigError(f"{place} refused the user name and password ({error.smtp_code})") from None
        except (OSError, smtplib.SMTPException) as error:
            raise UnavailableError(f"the SMTP server {place} cannot be used: {_reason(error)}") from None
        except UnicodeError:
            raise ConfigError(f"{place}: the host, the user name or the password cannot be sent as ASCII") from None

    def _greeted(self) -> smtplib.SMTP:
        account = self._account
        if account.implicit_tls:
            context = ssl.create_default_context()
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                account.host, account.port, timeout=self._timeout, context=context
            )
        else:
            server = smtplib.SMTP(account.host, account.port, timeout=self._timeout)
        try:
            self._introduce(server)
        except BaseException:
            server.close()
            raise
        return server

    def _introduce(self, server: smtplib.SMTP) -> None:
        account = self._account
        server.ehlo_or_helo_if_needed()
        if account.starttls is not StartTls.NEVER and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif account.starttls is StartTls.REQUIRED:
            raise smtplib.SMTPNotSupportedError("it does not offer STARTTLS, which the settings require")
        if account.username is not None:
            server.login(account.username, account.password or "")

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _is_done(code: int) -> bool:
    return 200 <= code < 300


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return in_words(error.smtp_code, words if isinstance(words, bytes) else words.encode())
    return one_line(getattr(error, "strerror", None) or str(error))
