"""The least an ASGI application can do, served as ours is: `python -m tests.bench.serve_hello PROCESSES`."""

from __future__ import annotations

import os
import sys

import uvicorn
from starlette.types import Message, Receive, Scope, Send

_START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain"), (b"content-length", b"5")],
}
_BODY: Message = {"type": "http.response.body", "body": b"hello"}


async def app(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
    if scope["type"] == "http":
        await send(_START)
        await send(_BODY)


if __name__ == "__main__":
    uvicorn.run(
        "tests.bench.serve_hello:app",
        workers=int(sys.argv[1]),
        port=int(os.environ["NEWSLETTER_WEB_PORT"]),
        access_log=False,
        server_header=False,
    )
