"""`python -m tests.servers.chaos_sink HOST PORT LOG`: the sink, told how to behave on its standard input.

Each line is a behaviour in JSON, `{}` to accept everything; "ok" answers it once it is in force. The first line opens
the port, the end of the input closes it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.servers.chaos_sink.behaviour import Behaviour
from tests.servers.chaos_sink.dialogue import Sink
from tests.servers.chaos_sink.log import Log
from tests.servers.chaos_sink.session import Session

BACKLOG = 1024
LONGEST_LINE = 64 * 1024 * 1024


async def serve(host: str, port: int, log: Path) -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader(LONGEST_LINE)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    sink = Sink(Log(log), _behaviour(await lines.readline()))
    await loop.create_server(lambda: Session(sink), host, port, backlog=BACKLOG)
    print("ok", flush=True)
    async for line in lines:
        sink.behave(_behaviour(line))
        print("ok", flush=True)


def _behaviour(line: bytes) -> Behaviour:
    return Behaviour(**json.loads(line))


if __name__ == "__main__":
    host, port, log = sys.argv[1:]
    asyncio.run(serve(host, int(port), Path(log)))
