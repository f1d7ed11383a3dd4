"""An SMTP server in this process whose replies can be scripted, for tests of what sends."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable
from types import TracebackType
from typing import NoReturn, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

DROP = "drop"  # in place of a reply: close the connection without one


class SmtpServer:
    """Keeps messages in a list, on a free port of 127.0.0.1, for as long as the `with` block lasts.

    `refuse` maps a recipient to the reply to its RCPT, `refuse_mail` a sender to the reply to its MAIL and
    `refuse_data` a recipient to the reply at the end of DATA; each may be changed at any time. A refused
    message is not kept; one whose reply at the end of DATA is DROP is: that is the ambiguous case.
    """

    def __init__(self, *, drop_after: int | None = None, pipelining: bool = True) -> None:
        self.messages: list[tuple[str, list[str], bytes]] = []
        self.connections = 0
        self.refuse: dict[str, str] = {}
        self.refuse_mail: dict[str, str] = {}
        self.refuse_data: dict[str, str] = {}
        self.drop_after = drop_after  # messages taken on one connection before it is closed
        self.pipelining = pipelining

    def __enter__(self) -> Self:
        self._controller = _Controller(self)
        self.host, self.port = self._controller.hostname, self._controller.port
        self._controller.start()
        self.connections = 0  # the controller tries the server once by itself
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()


class _Controller(Controller):
    """aiosmtpd's, on a socket that is bound beforehand: the port is known and cannot be taken."""

    def __init__(self, server: SmtpServer) -> None:
        self._scripted = server
        self._socket = socket.create_server(("127.0.0.1", 0))
        super().__init__(None, hostname="127.0.0.1", port=self._socket.getsockname()[1])

    def factory(self) -> SMTP:
        self._scripted.connections += 1
        return SMTP(_Script(self._scripted), hostname="localhost", enable_SMTPUTF8=True, loop=self.loop)

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        return self.loop.create_server(self._factory_invoker, sock=self._socket)


class _Script:
    """aiosmtpd's hooks, for one connection."""

    def __init__(self, server: SmtpServer) -> None:
        self._scripted = server
        self._taken = 0

    async def handle_EHLO(
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, replies: list[str]
    ) -> list[str]:
        session.host_name = hostname
        extra = ["250-PIPELINING"] if self._scripted.pipelining else []
        return [*replies[:-1], *extra, replies[-1]]

    async def handle_MAIL(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._scripted.refuse_mail.get(address)
        if reply is not None:
            return _say(server, reply)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        reply = self._scripted.refuse.get(address)
        if reply is not None:
            return _say(server, reply)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        refusals = self._scripted.refuse_data
        reply = next((refusals[address] for address in envelope.rcpt_tos if address in refusals), None)
        if reply is not None and reply != DROP:
            return reply
        mail_from = "" if envelope.mail_from in (None, "<>") else str(envelope.mail_from)
        self._scripted.messages.append((mail_from, list(envelope.rcpt_tos), envelope.original_content or b""))
        if reply == DROP:
            _drop(server)
        self._taken += 1
        if self._taken == self._scripted.drop_after and server.transport is not None:
            server.loop.call_soon(server.transport.close)  # after the reply below has left
        return "250 2.0.0 OK"


def _say(server: SMTP, reply: str) -> str:
    return _drop(server) if reply == DROP else reply


def _drop(server: SMTP) -> NoReturn:
    assert server.transport is not None
    server.transport.close()
    raise asyncio.CancelledError  # what aiosmtpd itself gets when a client is gone: it ends quietly
