"""A server made distant: a relay on 127.0.0.1 that passes everything on a while later, in a process of its own.

It delays and does not throttle.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from selectors import SelectSelector
from types import TracebackType
from typing import Self

HOST = "127.0.0.1"
BACKLOG = 128


class Relay:
    """Listens on `port`, for as long as the `with` block lasts; each way to `server_port` takes `seconds` longer."""

    def __init__(self, server_port: int, seconds: float) -> None:
        self._command = [sys.executable, "-m", "tests.servers.latency", str(server_port), str(seconds)]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()


class _End(asyncio.Protocol):
    """One of the two connections of a pair; what comes in leaves by the `other`, later."""

    other: asyncio.WriteTransport

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self.other.write, data)

    def connection_lost(self, _error: Exception | None) -> None:
        asyncio.get_running_loop().call_later(self._seconds, self.other.close)


class _Entrance(_End):
    def __init__(self, server_port: int, seconds: float) -> None:
        super().__init__(seconds)
        self._server_port = server_port

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.transport.pause_reading()
        self._connecting = asyncio.create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        transport, end = await loop.create_connection(lambda: _End(self._seconds), HOST, self._server_port)
        self.other, end.other = transport, self.transport
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        # Python before 3.11.3 reads on in spite of the pause.
        self._connecting.add_done_callback(lambda _: _End.data_received(self, data))


async def _serve(server_port: int, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Entrance(server_port, seconds), HOST, 0, backlog=BACKLOG)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    # Unlike epoll, select(2) waits for less than a millisecond.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(SelectSelector())) as runner:
        runner.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
