from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from threading import Thread

import pytest

from tests.servers.latency import HOST, Relay

SECONDS = 0.05


@pytest.fixture
def echo_port() -> Iterator[int]:
    """Of a server that sends back what it gets, to one client, until that has gone."""

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            while data := client.recv(65_536):
                client.sendall(data)

    with socket.create_server((HOST, 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


def test_everything_arrives_in_order_and_late_each_way(echo_port: int) -> None:
    with Relay(echo_port, SECONDS) as relay, socket.create_connection((HOST, relay.port), 10) as client:
        for word in (b"one", b"two"):
            began = time.monotonic()
            client.sendall(word)
            assert client.recv(10) == word
            assert time.monotonic() - began >= 2 * SECONDS


def test_chunks_do_not_wait_for_each_other(echo_port: int) -> None:
    with (
        Relay(echo_port, SECONDS) as relay,
        socket.create_connection((HOST, relay.port), 10) as client,
        client.makefile("rb") as echo,
    ):
        began = time.monotonic()
        for _ in range(50):
            client.sendall(b"x" * 1000)
            time.sleep(0.001)
        assert len(echo.read(50_000)) == 50_000
        assert time.monotonic() - began < 50 * SECONDS
