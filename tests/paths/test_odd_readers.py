"""What is not a mail program, or a broken one, at a real server: nothing of it keeps readers from being answered."""

from __future__ import annotations

import os
import resource
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.embedded.processes import Command, Process
from newsletter.models import Delivery
from newsletter.models.schema import upgrade
from newsletter.queue import make_redis
from newsletter.settings_sources import PREFIX
from newsletter.tracking.buffer import EventBuffer
from newsletter.tracking.tokens import Tokens
from newsletter.web.protocol import REQUEST_SECONDS
from newsletter.web.track import PIXEL
from tests.factories import SECRET, make_mailing
from tests.paths.steps import wait_until
from tests.servers.postgres import free_port
from tests.servers.valkey import ValkeyServer

HOST = "127.0.0.1"
PATIENCE_SECONDS = 20.0
IDLE = 10_000
FILES_OF_OUR_OWN = 500
PIPELINED = 100


class Server:
    """One process of `newsletter track`, and the token of a reader's message."""

    def __init__(self, process: Process, port: int, opens: str, clicks: str) -> None:
        self.process = process
        self.port = port
        self.opens = opens
        self.clicks = clicks

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), PATIENCE_SECONDS)

    def ask(self, request: bytes, seconds: float = PATIENCE_SECONDS) -> bytes:
        """Everything it says to that, until it hangs up or says nothing for so long."""
        with self.connect() as client:
            client.settimeout(seconds)
            with suppress(OSError):
                client.sendall(request)
            return everything(client)

    def answers(self) -> bool:
        return self.ask(get(f"/o/{self.opens}.gif")).endswith(PIXEL)

    @property
    def memory(self) -> int:
        """Resident, in bytes."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()


def get(target: str | bytes, fields: bytes = b"", method: bytes = b"GET") -> bytes:
    path = target if isinstance(target, bytes) else target.encode()
    return method + b" " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields + b"\r\n"


def everything(client: socket.socket) -> bytes:
    said = b""
    with suppress(ConnectionError, TimeoutError):
        while more := client.recv(65_536):
            said += more
    return said


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    folder = tmp_path_factory.mktemp("odd")
    with ValkeyServer() as valkey:
        url = f"sqlite:///{folder / 'newsletter.db'}"
        yield load_settings(data_dir=folder, database_url=url, broker_url=valkey.url, secret_key=SECRET)


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[Server]:
    database = Database(settings.database)
    upgrade(database)
    mailing_id = make_mailing(database)
    with database.read() as session:
        delivery_id = session.scalars(select(Delivery.id)).first() or 0
    database.close()
    tokens, port = Tokens.of(SECRET.encode()), free_port(HOST)
    environment = {
        f"{PREFIX}DATA_DIR": str(settings.data_dir),
        f"{PREFIX}DATABASE_URL": settings.database,
        f"{PREFIX}BROKER_URL": settings.broker,
        f"{PREFIX}SECRET_KEY": SECRET,
        f"{PREFIX}WEB_PORT": str(port),
    }
    process = Process(
        Command("track", (sys.executable, "-m", "newsletter", "track"), environment, settings.data_dir / "track.log")
    )
    process.start()

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, port)) == 0

    try:
        wait_until(listens, "readers to be answered")
        yield Server(
            process, port, tokens.opens.seal(mailing_id, delivery_id), tokens.clicks.seal(mailing_id, delivery_id)
        )
    finally:
        process.stop(10)
    assert "Traceback" not in process.command.log.read_text()


@pytest.fixture
def buffer(settings: Settings) -> Iterator[EventBuffer]:
    redis = make_redis(settings)
    buffer = EventBuffer(redis)
    buffer.drop(buffer.oldest())
    yield buffer
    redis.close()


@pytest.mark.parametrize(
    "path",
    [
        b"/c/" + b"A" * 8000,
        b"/c/" + b"A" * 8000 + b"/1",
        b"/o/" + b"/" * 8000,
        b"/c/%",
        b"/c/%zz/%f",
        b"/c/%ff%fe%00/1",
        b"/c/a%0d%0aSet-Cookie:%20x=y/1",
        b"//c//1",
        b"/c/../../etc/passwd",
        b"/%2e%2e/%2e%2e/etc/passwd",
        b"/u/" + b"%41" * 3000,
        b"http://elsewhere.example/c/x/1",
        b"/c/x/1?" + b"a=b&" * 2000,
    ],
)
def test_an_odd_address_gets_the_page_for_bad_links(server: Server, path: bytes) -> None:
    said = server.ask(get(path))
    assert said.startswith(b"HTTP/1.1 404 ")
    assert b"<h1>" in said
    assert b"set-cookie" not in said.lower()
    assert b"\nlocation:" not in said.lower()


@pytest.mark.parametrize(
    "request_",
    [
        b"\r\n",
        b"GET\r\n\r\n",
        b"get / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET \xc3\xa9\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\x00b\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /u/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)) * 2,
        bytes(5000),
        os.urandom(5000),
    ],
)
def test_what_is_no_request_is_refused_or_hung_up_on_and_readers_are_answered_as_ever(
    server: Server, request_: bytes
) -> None:
    said = server.ask(request_, seconds=0.5)
    assert said == b"" or said.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 404 ")), said[:100]
    assert server.answers()


def test_a_head_without_end_is_cut_off_before_it_costs_memory(server: Server) -> None:
    before = server.memory
    for piece in (b"X-Bomb: " + b"a" * 1000 + b"\r\n", b"a: b\r\n" * 200, b"a" * 1000):
        sent = 0
        with server.connect() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n" + (b"X-Long: " if piece.isalpha() else b""))
            with suppress(OSError):
                while sent < 50_000_000:
                    client.sendall(piece)
                    sent += len(piece)
            assert sent < 20_000_000
            with suppress(OSError):
                assert everything(client)[:13] in (b"HTTP/1.1 431 ", b"")
    assert server.memory - before < 20_000_000
    assert server.answers()


def test_the_head_of_a_page_has_no_body(server: Server) -> None:
    pixel = server.ask(get(f"/o/{server.opens}.gif", method=b"HEAD"))
    assert pixel.startswith(b"HTTP/1.1 200 ")
    assert pixel.endswith(b"\r\n\r\n")
    assert b"content-length: 43\r\n" in pixel.lower()
    assert server.ask(get(f"/c/{server.clicks}/1", method=b"HEAD")).startswith(b"HTTP/1.1 302 ")
    page = server.ask(get("/c/x/1", method=b"HEAD"))
    assert page.startswith(b"HTTP/1.1 404 ")
    assert page.endswith(b"\r\n\r\n")


def test_requests_that_come_all_at_once_are_answered_one_after_another_and_each_is_noted(
    server: Server, buffer: EventBuffer
) -> None:
    one = f"GET /o/{server.opens}.gif HTTP/1.1\r\nHost: a\r\n\r\n".encode()
    with server.connect() as client:
        client.sendall(one * (PIPELINED - 1) + get(f"/c/{server.clicks}/1"))
        said = everything(client)
    assert said.count(b"HTTP/1.1 200 OK") == said.count(PIXEL) == PIPELINED - 1
    assert said.count(b"HTTP/1.1 302 ") == 1
    assert said.index(b"HTTP/1.1 302 ") > said.rindex(PIXEL)
    assert len(buffer.oldest()) == PIPELINED


def test_a_reader_who_hangs_up_at_once_is_noted_all_the_same_and_disturbs_nobody(
    server: Server, buffer: EventBuffer
) -> None:
    for _ in range(50):
        with server.connect() as client:
            client.sendall(get(f"/o/{server.opens}.gif"))
    assert server.answers()
    wait_until(lambda: len(buffer.oldest()) == 51, "all to be noted")


def test_ten_thousand_who_say_nothing_keep_no_reader_waiting_and_are_hung_up_on(server: Server) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    before = server.memory
    with ExitStack() as open_:
        idle = [open_.enter_context(server.connect()) for _ in range(min(IDLE, hard - FILES_OF_OUR_OWN))]
        slow = open_.enter_context(server.connect())
        slow.sendall(b"GET / HTTP/1.1\r\nHo")
        unfinished = open_.enter_context(server.connect())
        unfinished.sendall(b"POST /subscribe/x HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\na=")
        began = time.monotonic()
        assert server.answers()
        assert time.monotonic() - began < 5
        assert server.memory - before < 20_000 * len(idle)
        while time.monotonic() - began < REQUEST_SECONDS - 2:
            time.sleep(0.5)
            with suppress(OSError):
                slow.sendall(b"s")
        for client in (*idle, slow, unfinished):
            assert everything(client) == b""
        assert time.monotonic() - began < 3 * REQUEST_SECONDS
    assert server.answers()
