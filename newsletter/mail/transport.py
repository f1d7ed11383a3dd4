"""Hands messages to an SMTP server over one kept connection (RFC 5321)."""

from __future__ import annotations

import re
import smtplib
import ssl
from contextlib import suppress
from types import TracebackType
from typing import Self

from newsletter.errors import ConfigError, UnavailableError
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.smtp_url import SmtpAccount, StartTls

TIMEOUT_SECONDS = 60
SERVICE_CLOSING = 421
START_DATA = 354
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
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            # A server hangs up on a connection that was idle for long; nothing was sent, so a new one may try again.
            return self.send(envelope) if kept else Outcome(Verdict.DEFERRED, f"connection lost: {error}")
        if outcome.reply.startswith(str(SERVICE_CLOSING)):
            self._drop()
        return outcome

    def close(self) -> None:
        """Say goodbye, if anyone still listens."""
        if self._server is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._server.quit()
            self._drop()

    def _transact(self, envelope: Envelope) -> Outcome:
        assert self._server is not None  # noqa: S101 - connect() has just made sure
        server = self._server
        options = ["SMTPUTF8"] if not envelope.rcpt_to.isascii() else []
        if options and not server.has_extn("smtputf8"):
            return Outcome(Verdict.REJECTED, "the server does not take addresses outside ASCII (no SMTPUTF8)")
        for code, text in (server.mail(envelope.mail_from, options), server.rcpt(envelope.rcpt_to)):
            if code >= 300:
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
            return Outcome(Verdict.UNCERTAIN, f"connection lost before the server confirmed the message: {error}")
        if code < 300:
            return Outcome(Verdict.SENT, f"{code} {text.decode('utf-8', 'replace')}")
        return Outcome.of_reply(code, text)

    def _refused(self, server: smtplib.SMTP, code: int, text: bytes) -> Outcome:
        outcome = Outcome.of_reply(code, text)
        if code != SERVICE_CLOSING:
            server.rset()
        return outcome

    def _open(self) -> smtplib.SMTP:
        account = self._account
        try:
            server = self._greet()
            if account.username is not None:
                server.login(account.username, account.password or "")
        except smtplib.SMTPAuthenticationError as error:
            raise ConfigError(f"{account.place} refused the user name and password ({error.smtp_code})") from None
        except (OSError, smtplib.SMTPException) as error:
            raise UnavailableError(f"the SMTP server {account.place} cannot be used: {_reason(error)}") from None
        return server

    def _greet(self) -> smtplib.SMTP:
        account = self._account
        if account.implicit_tls:
            context = ssl.create_default_context()
            tls = smtplib.SMTP_SSL(account.host, account.port, timeout=self._timeout, context=context)
            tls.ehlo_or_helo_if_needed()
            return tls
        server = smtplib.SMTP(account.host, account.port, timeout=self._timeout)
        server.ehlo_or_helo_if_needed()
        if account.starttls is StartTls.NEVER:
            return server
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif account.starttls is StartTls.REQUIRED:
            server.close()
            raise smtplib.SMTPNotSupportedError("it does not offer STARTTLS, which the settings require")
        return server

    def _drop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def _reason(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return f"{error.smtp_code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"
    return getattr(error, "strerror", None) or str(error)
