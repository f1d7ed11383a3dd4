"""A web server on loopback that answers as its paths say, and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit


class WebServer(ThreadingHTTPServer):
    """`/200`, `/404`, … answer with that status; `/to?ADDRESS` leads there; `/slow` waits; `/get-only` minds HEAD."""

    daemon_threads = True

    def __init__(self, host: str = "127.0.0.1") -> None:
        super().__init__((host, 0), _Handler)
        self.asked: list[tuple[str, str, str | None]] = []
        self.ended = Event()

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"


@contextmanager
def serving(server: WebServer) -> Iterator[WebServer]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: WebServer

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append((self.command, self.path, self.headers.get("Cookie")))
        if parts.path == "/slow":
            self.server.ended.wait(5)
        if parts.path == "/get-only":
            return self._send(405 if self.command == "HEAD" else 200)
        if parts.path == "/to":
            return self._send(302, Location=parse_qs(parts.query)["url"][0])
        digits = parts.path.strip("/")
        return self._send(int(digits) if digits.isdigit() else 200)

    def _send(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", "Set-Cookie": "seen=1", **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nobody reads it."""
