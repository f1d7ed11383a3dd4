"""An SMTP server in this process whose replies can be scripted, for tests of what sends."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Sequence
from types import TracebackType
from typing import NoReturn, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

DROP = "drop"  # in place of a reply: close the connection without one


class SmtpServer:
    """Keeps messages in a list, on a free port of 127.0.0.1, for as long as the `with` block lasts.

    `refuse` maps a recipient to the reply to its RCPT, `refuse_once` to the reply to the next one only, `refuse_mail`
    a sender to the reply to its MAIL and `refuse_data` a recipient to the reply at the end of DATA; each may be
    changed at any time. A refused message is not kept; one whose reply at the end of DATA is DROP is: that is the
    ambiguous case. Keeping a message takes `seconds`. After as many connections as are `welcome`, further ones get
    the replies in `farewell` instead, its greeting the first, and are closed with the last; where there is none they
    are kept waiting. With `tls` it offers STARTTLS, or is TLS from the start if `implicit_tls`.
    """

    def __init__(
        self,
        *,
        drop_after: int | None = None,
        pipelining: bool = True,
        seconds: float = 0,
        welcome: int | None = None,
        farewell: Sequence[str] = ("421 4.7.0 too many connections",),
        tls: ssl.SSLContext | None = None,
        implicit_tls: bool = False,
    ) -> None:
        self.messages: list[tuple[str, list[str], bytes]] = []
        self.connections = 0
        self.refuse: dict[str, str] = {}
        self.refuse_once: dict[str, str] = {}
        self.refuse_mail: dict[str, str] = {}
        self.refuse_data: dict[str, str] = {}
        self.drop_after = drop_after  # messages taken on one connection before it is closed
        self.pipelining = pipelining
        self.seconds = seconds
        self.welcome = welcome
        self.farewell = farewell
        self.tls = tls
        self.implicit_tls = implicit_tls

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
        # aiosmtpd sends pipelined replies one by one: each would wait 40 ms until the one before is acknowledged.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._crowd: list[_Crowded] = []
        super().__init__(None, hostname="127.0.0.1", port=self._socket.getsockname()[1])

    def stop(self, no_assert: bool = False) -> None:
        for crowded in self._crowd:
            self.loop.call_soon_threadsafe(crowded.transport.close)
        super().stop(no_assert)

    def factory(self) -> asyncio.Protocol:
        scripted = self._scripted
        scripted.connections += 1
        if scripted.welcome is not None and scripted.connections > scripted.welcome:
            self._crowd.append(_Crowded(scripted.farewell))
            return self._crowd[-1]
        starttls = None if scripted.implicit_tls else scripted.tls
        script = _Script(scripted)
        return SMTP(script, hostname="localhost", enable_SMTPUTF8=True, tls_context=starttls, loop=self.loop)

    def _create_server(self) -> Awaitable[asyncio.AbstractServer]:
        tls = self._scripted.tls if self._scripted.implicit_tls else None
        return self.loop.create_server(self._factory_invoker, sock=self._socket, ssl=tls)


class _Crowded(asyncio.Protocol):
    """What a connection meets that is one too many."""

    def __init__(self, farewell: Sequence[str]) -> None:
        self._replies = list(farewell)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.data_received(b"")

    def data_received(self, _data: bytes) -> None:
        if self._replies:
            self.transport.write(f"{self._replies.pop(0)}\r\n".encode())
            if not self._replies:
                self.transport.close()


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
        reply = self._scripted.refuse_once.pop(address, None) or self._scripted.refuse.get(address)
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
        await asyncio.sleep(self._scripted.seconds)
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
