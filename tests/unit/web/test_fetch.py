from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.errors import UnavailableError
from newsletter.feedback.providers.webhook import Forged
from newsletter.web import fetch as fetching
from newsletter.web.fetch import LARGEST_BYTES, fetch
from tests.servers.https import Answer, HttpsServer
from tests.servers.scripted import serving
from tests.servers.tls import Authority

HOST = "127.0.0.1"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def server(authority: Authority) -> Iterator[HttpsServer]:
    with HttpsServer(authority.server(HOST)) as running:
        yield running


def at(port: int, path: str = "/key.pem", host: str = HOST) -> str:
    return f"https://{host}:{port}{path}"


def test_what_lies_at_an_address_is_given(server: HttpsServer, authority: Authority) -> None:
    server.answers["/key.pem"] = Answer(body=b"PEM")
    server.answers["/?Action=Confirm&Token=1"] = Answer(body=b"done")
    assert fetch(at(server.port), authority.client()) == b"PEM"
    assert fetch(at(server.port, "?Action=Confirm&Token=1"), authority.client()) == b"done"
    server.answers["/key.pem"] = Answer(body=b"x" * LARGEST_BYTES)
    assert len(fetch(at(server.port), authority.client())) == LARGEST_BYTES


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(server: HttpsServer, authority: Authority, status: int) -> None:
    server.answers["/key.pem"] = Answer(status, location="/other.pem")
    server.answers["/other.pem"] = Answer(body=b"PEM")
    with pytest.raises(Forged, match=f"status {status}"):
        fetch(at(server.port), authority.client())
    assert server.asked == ["/key.pem"]


def test_more_than_a_certificate_is_not_taken(server: HttpsServer, authority: Authority) -> None:
    server.answers["/key.pem"] = Answer(body=b"x" * (LARGEST_BYTES + 1))
    with pytest.raises(Forged, match="larger than 65536 bytes"):
        fetch(at(server.port), authority.client())


def test_what_is_not_there_is_forged_and_a_server_that_fails_is_unavailable(
    server: HttpsServer, authority: Authority
) -> None:
    with pytest.raises(Forged, match="status 404"):
        fetch(at(server.port), authority.client())
    server.answers["/key.pem"] = Answer(503)
    with pytest.raises(UnavailableError, match="answers 503"):
        fetch(at(server.port), authority.client())


def test_only_a_certificate_that_is_trusted_and_of_the_host_will_do(
    server: HttpsServer, authority: Authority, tmp_path: Path
) -> None:
    server.answers["/key.pem"] = Answer(body=b"PEM")
    with pytest.raises(UnavailableError, match="certificate verify failed"):
        fetch(at(server.port), ssl.create_default_context())
    (tmp_path / "other").mkdir()
    with pytest.raises(UnavailableError, match="certificate verify failed"):
        fetch(at(server.port), Authority(tmp_path / "other").client())
    with pytest.raises(UnavailableError, match="not valid for 'localhost'"):
        fetch(at(server.port, host="localhost"), authority.client())
    assert server.asked == []


def test_a_server_that_says_nothing_is_given_up(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "PATIENCE_SECONDS", 0.2)
    with socket.create_server((HOST, 0)) as silent, pytest.raises(UnavailableError, match="timed out"):
        fetch(at(silent.getsockname()[1]), authority.client())


@pytest.mark.parametrize("said", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"])
def test_an_answer_that_is_none_or_cut_short_is_not_taken(authority: Authority, said: bytes) -> None:
    context = authority.server(HOST)

    def hold(client: socket.socket, _lines: object) -> None:
        with context.wrap_socket(client.dup(), server_side=True) as secure:
            secure.recv(1000)
            secure.sendall(said)

    with serving(hold) as port, pytest.raises(UnavailableError, match="does not answer"):
        fetch(at(port), authority.client())


def test_a_port_where_nobody_listens_is_unavailable(authority: Authority) -> None:
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        with pytest.raises(UnavailableError, match="refused"):
            fetch(at(bound.getsockname()[1]), authority.client())
