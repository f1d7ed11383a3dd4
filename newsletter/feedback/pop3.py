"""A mailbox over POP3 (RFC 1939)."""

from __future__ import annotations

import poplib
import ssl
from contextlib import suppress
from typing import Any

from newsletter.errors import ConfigError
from newsletter.mailbox_url import MailboxAccount

# POP3 gives messages whole: a larger one is not read at all.
LARGEST_BYTES = 4 << 20


class Pop3Mailbox:
    """All that is in it. A message is named by its UIDL (section 7)."""

    def __init__(self, account: MailboxAccount, context: ssl.SSLContext, patience_seconds: float) -> None:
        """Raises ConfigError for a wrong password, and what poplib raises."""
        self._account = account
        self._context = context
        self._patience_seconds = patience_seconds
        self._numbers: dict[str, int] = {}
        self._sizes: dict[int, int] = {}
        self._deleted: list[str] = []
        self._open()

    def names(self) -> list[str]:
        self._sizes = {int(number): int(size) for number, size in _pairs(self._server.list()[1])}
        self._numbers = {name: int(number) for number, name in _pairs(self._server.uidl()[1])}
        return list(self._numbers)

    def read(self, name: str) -> bytes | None:
        """Empty where it is too large."""
        number = self._numbers.get(name)
        if number is None:
            return None
        if self._sizes.get(number, 0) > LARGEST_BYTES:
            return b""
        try:
            return b"\r\n".join(self._server.retr(number)[1])
        except poplib.error_proto:
            pass
        except OSError:
            # Some servers hang up over a message that they cannot read, and forget what was to be deleted.
            self._hang_up()
            self._open()
            self.names()
            for number in (self._numbers[one] for one in self._deleted if one in self._numbers):
                self._server.dele(number)
        return None

    def delete(self, name: str) -> None:
        self._server.dele(self._numbers[name])
        self._deleted.append(name)

    def close(self) -> None:
        """Only now is anything deleted (section 6)."""
        if not self._is_open:
            return
        try:
            self._server.quit()
        finally:
            self._hang_up()

    def _open(self) -> None:
        host, port, seconds = self._account.host, self._account.port, self._patience_seconds
        if self._account.implicit_tls:
            self._server: poplib.POP3 = _OverTls(host, port, context=self._context, timeout=seconds)
        else:
            self._server = _Plain(host, port, timeout=seconds)
        try:
            if self._account.starttls:
                self._server.stls(self._context)
            self._log_in()
        except BaseException:
            self._hang_up()
            raise
        self._is_open = True

    def _hang_up(self) -> None:
        self._is_open = False
        with suppress(OSError):
            self._server.close()

    def _log_in(self) -> None:
        try:
            self._server.user(self._account.username)
            self._server.pass_(self._account.password)
        except poplib.error_proto as error:
            words = str(error)
            # The answer may be about another session (RFC 2449 section 8.1.1, RFC 3206 section 4).
            if any(code in words for code in ("[IN-USE]", "[LOGIN-DELAY]", "[SYS/TEMP]")):
                raise
            raise ConfigError(
                f"bounce_fetch_url: {self._account.place} refused the user name and password: mend them, or make a "
                "password for programs there"
            ) from None


def _pairs(lines: list[bytes]) -> list[list[str]]:
    """A number and what is said of it, from each line that has both."""
    words = [line.decode("ascii", "replace").split() for line in lines]
    return [pair[:2] for pair in words if len(pair) >= 2 and pair[0].isdecimal()]


class _Plain(poplib.POP3):
    """Takes lines as mail has them; poplib would take a line of 2,048 bytes for a fault and be out of step."""

    def __init__(self, *where: Any, **how: Any) -> None:
        try:
            super().__init__(*where, **how)
        except BaseException:
            # poplib would leave it open where the greeting is none.
            with suppress(OSError, AttributeError):
                self.close()
            raise

    def _getline(self) -> tuple[bytes, int]:
        line = self.file.readline(LARGEST_BYTES + 1)
        if not line.endswith(b"\n"):
            # So that every error_proto is an answer of the server.
            raise ConnectionResetError("the server closed the connection")
        return line.rstrip(b"\r\n"), len(line)


class _OverTls(_Plain, poplib.POP3_SSL):
    pass
