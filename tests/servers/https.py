"""An HTTPS server in this process that answers as it is told to, and remembers what it was asked."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Answer:
    """What one path is answered with."""

    status: int = 200
    body: bytes = b""
    location: str = ""


class HttpsServer:
    """Runs on a free port of 127.0.0.1 for as long as the `with` block lasts; `answers` are by path and query.

    `asked` has the paths of all requests in order; whoever leads others here may write their names into `dialled`.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.dialled: list[str] = []
        self._context = context

    def __enter__(self) -> Self:
        parent = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parent.asked.append(self.path)
                answer = parent.answers.get(self.path, Answer(404))
                self.send_response(answer.status)
                if answer.location:
                    self.send_header("Location", answer.location)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def get_request(self) -> tuple[ssl.SSLSocket, object]:
                plain, address = super().get_request()
                # The handshake is the connection's own thread's, at its first read.
                secure = parent._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
                return secure, address

            def handle_error(self, *_: object) -> None:
                """A client that does not trust us hangs up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._thread = Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
