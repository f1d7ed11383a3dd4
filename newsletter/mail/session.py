"""An SMTP session opened: greeted, secured, logged in (RFC 5321, RFC 3207, RFC 4954)."""

from __future__ import annotations

import smtplib
import ssl

from newsletter.errors import ConfigError, UnavailableError
from newsletter.mail.outcome import in_words
from newsletter.smtp_url import SmtpAccount, StartTls
from newsletter.text import one_line


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
