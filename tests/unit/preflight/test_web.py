"""Links looked at, on a real web server; only where a test says so may loopback addresses be connected to."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from newsletter.preflight.finding import Looked
from newsletter.preflight.public import Address
from newsletter.preflight.visit import NoHostError
from newsletter.preflight.web import look_at_links
from tests.unit.preflight.proofs import BODY, proof_of, told
from tests.unit.preflight.web_server import WebServer, serving

ALLOWED = ip_address("127.0.0.1")


def allowed(address: Address) -> bool:
    return address == ALLOWED


@pytest.fixture
def web() -> Iterator[WebServer]:
    with serving(WebServer()) as server:
        yield server


def look(folder: Path, *urls: str, seconds: float = 10) -> Looked:
    body = "\n".join(f"[lien {number}]({url})\n" for number, url in enumerate(urls))
    return look_at_links(proof_of(folder, body), seconds, allowed)


def unused_port() -> int:
    with WebServer() as server:
        return int(server.server_address[1])


def test_what_is_there_is_no_finding(tmp_path: Path, web: WebServer) -> None:
    looked = look(tmp_path, f"{web.url}/200", f"{web.url}/à la une?q=1", f"{web.url}/get-only")
    assert (looked.findings, looked.unseen) == ([], [])
    assert [method for method, path, _ in web.asked if path == "/get-only"] == ["HEAD", "GET"]


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_gone_is_dead(tmp_path: Path, web: WebServer, status: int) -> None:
    looked = look(tmp_path, f"{web.url}/200", f"{web.url}/{status}")
    assert told(looked.findings) == [("link-dead", BODY + 2)]
    assert looked.findings[0].message == f"{web.url}/{status} is dead: it answers {status}"


@pytest.mark.parametrize("status", [401, 403, 405, 429, 500, 503])
def test_what_is_not_shown_to_us_is_not_dead(tmp_path: Path, web: WebServer, status: int) -> None:
    looked = look(tmp_path, f"{web.url}/{status}")
    assert looked.findings == []
    assert looked.unseen == [f"{web.url}/{status}: it answers {status}"]


def test_nobody_behind_a_port_is_dead(tmp_path: Path) -> None:
    looked = look(tmp_path, f"http://127.0.0.1:{unused_port()}/")
    assert told(looked.findings) == [("link-dead", BODY)]


def test_a_name_that_does_not_exist_is_dead_where_others_do(tmp_path: Path, web: WebServer) -> None:
    assert told(look(tmp_path, f"{web.url}/200", "https://nobody.invalid/").findings) == [("link-dead", BODY + 2)]


def test_a_machine_that_knows_no_name_at_all_is_cut_off(tmp_path: Path) -> None:
    looked = look(tmp_path, "https://nobody.invalid/", "https://nothing.invalid/")
    assert looked.findings == []
    assert looked.unseen == ["2 links: no name can be looked up from this machine"]


def test_redirects_are_followed_to_where_they_end(tmp_path: Path, web: WebServer) -> None:
    gone, there = (f"{web.url}/to?url={quote(f'{web.url}/{status}')}" for status in (404, 200))
    looked = look(tmp_path, gone, there, f"{web.url}/to?url=/404")
    assert told(looked.findings) == [("link-dead", BODY), ("link-dead", BODY + 4)]
    assert looked.unseen == []


def test_too_many_redirects_could_not_be_looked_at(tmp_path: Path, web: WebServer) -> None:
    url = f"{web.url}/200"
    for _ in range(7):
        url = f"{web.url}/to?url={quote(url, safe='')}"
    looked = look(tmp_path, url)
    assert looked.findings == []
    assert "redirects more than 5 times" in looked.unseen[0]


def test_no_cookie_is_ever_sent(tmp_path: Path, web: WebServer) -> None:
    look(tmp_path, f"{web.url}/to?url=/200", f"{web.url}/get-only")
    assert len(web.asked) >= 4
    assert {cookie for _, _, cookie in web.asked} == {None}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433"])
def test_an_address_that_is_not_public_is_never_connected_to(tmp_path: Path, web: WebServer, host: str) -> None:
    url = f"http://{host}:{web.server_address[1]}/404"
    looked = look_at_links(proof_of(tmp_path, f"[lien]({url})\n"))
    assert looked.findings == []
    assert len(looked.unseen) == 1
    assert web.asked == []


def test_nor_is_one_that_a_redirect_leads_to(tmp_path: Path, web: WebServer) -> None:
    with serving(WebServer("127.0.0.2")) as inner:
        looked = look(tmp_path, f"{web.url}/to?url={quote(f'{inner.url}/404')}")
        assert inner.asked == []
    assert looked.findings == []
    assert looked.unseen[0].endswith("127.0.0.2 is not on the public internet")


def test_a_redirect_out_of_the_web_is_not_followed(tmp_path: Path, web: WebServer) -> None:
    looked = look(tmp_path, f"{web.url}/to?url={quote('file:///etc/passwd')}")
    assert looked.findings == []
    assert looked.unseen[0].endswith("it leads out of the web")


def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_checked(tmp_path: Path, web: WebServer) -> None:
    asked: list[str] = []

    def changing(host: str, _port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.2"]

    with serving(WebServer("127.0.0.2")) as inner:
        url = f"http://changing.example.be:{web.server_address[1]}/200"
        looked = look_at_links(proof_of(tmp_path, f"[lien]({url})\n"), 10, allowed, changing)
        assert inner.asked == []
    assert (looked.findings, looked.unseen) == ([], [])
    assert asked == ["changing.example.be"]
    assert web.asked == [("HEAD", "/200", None)]


def test_a_name_with_public_and_other_addresses_is_looked_at_by_the_public_one(
    tmp_path: Path, web: WebServer
) -> None:
    url = f"http://both.example.be:{web.server_address[1]}/404"
    proof = proof_of(tmp_path, f"[lien]({url})\n")
    looked = look_at_links(proof, 10, allowed, lambda _host, _port: ["10.0.0.1", "127.0.0.1"])
    assert told(looked.findings) == [("link-dead", BODY)]


def test_all_links_together_take_no_longer_than_the_limit(tmp_path: Path, web: WebServer) -> None:
    began = time.monotonic()
    looked = look(tmp_path, *(f"{web.url}/slow?{number}" for number in range(40)), f"{web.url}/404", seconds=0.5)
    assert time.monotonic() - began < 3
    assert looked.findings == []
    assert len(looked.unseen) == 41
    assert {line.rpartition(": ")[2] for line in looked.unseen} == {"no answer in time"}


def test_a_name_server_that_hangs_takes_no_longer_either(tmp_path: Path) -> None:
    def hanging(_host: str, _port: int) -> Sequence[str]:
        time.sleep(2)
        raise NoHostError("late")

    began = time.monotonic()
    looked = look_at_links(proof_of(tmp_path, "[lien](https://slow.example.be/)\n"), 0.2, allowed, hanging)
    assert time.monotonic() - began < 1
    assert looked.unseen == ["https://slow.example.be/: no answer in time"]


def encrypt(server: WebServer, folder: Path, host: str) -> Path:
    """Give a server a certificate for `host`; the file that holds it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, secret = folder / "certificate.pem", folder / "key.pem"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return file


def test_certificates_are_checked_against_the_name_that_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = WebServer()
    certificate = encrypt(server, tmp_path, "known.example.be")
    port = server.server_address[1]

    def look_over_tls(host: str) -> Looked:
        proof = proof_of(tmp_path, f"[lien](https://{host}:{port}/200)\n")
        return look_at_links(proof, 10, allowed, lambda _host, _port: ["127.0.0.1"])

    with serving(server):
        assert "certificate" in look_over_tls("known.example.be").unseen[0]
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert look_over_tls("known.example.be") == Looked()
        assert told(look_over_tls("other.example.be").findings) == [("link-dead", BODY)]
