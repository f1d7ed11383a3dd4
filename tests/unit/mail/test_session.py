from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from newsletter.errors import ConfigError, UnavailableError
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.transport import SmtpTransport
from newsletter.smtp_url import parse_smtp_url
from tests.servers.scripted import BYE, HELLO, TAKEN, scripted
from tests.servers.smtp import SmtpServer

LETTER = Envelope("redaction@example.org", "ada@example.org", b"Subject: One\r\n\r\nWords.\r\n")


@pytest.fixture
def certified(tmp_path: Path) -> ssl.SSLContext:
    """A server's side of TLS; its certificate for 127.0.0.1 is in the file `certificate.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM) + secret)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def at(port: int, account: str = "", options: str = "", scheme: str = "smtp") -> SmtpTransport:
    return SmtpTransport(parse_smtp_url(f"{scheme}://{account}127.0.0.1:{port}{options}"), 5)


def test_a_message_that_is_larger_than_the_server_takes_is_not_sent() -> None:
    hello = (b"220 hello\r\n", b"250-here\r\n250 SIZE 20\r\n")
    with scripted((*hello, BYE)) as port, at(port) as transport:
        outcome = transport.send(LETTER)
    assert outcome == Outcome(Verdict.REJECTED, "the message has 24 bytes and the server takes 20 (SIZE)")


@pytest.mark.parametrize("size", ["SIZE", "SIZE 0", "SIZE many", "SIZE 24"])
def test_a_server_may_offer_size_without_a_limit(size: str) -> None:
    hello = (b"220 hello\r\n", f"250-here\r\n250 {size}\r\n".encode())
    with scripted((*hello, *TAKEN, BYE)) as port, at(port) as transport:
        assert transport.send(LETTER).verdict is Verdict.SENT


def test_a_server_without_extensions_is_good_enough() -> None:
    replies = (b"220 hello\r\n", b"502 what?\r\n", b"250 here\r\n", *TAKEN, BYE)
    with scripted(replies) as port, at(port) as transport:
        assert transport.send(LETTER).verdict is Verdict.SENT


def test_nobody_listening_is_told_with_host_and_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError) as caught:
        at(port).send(LETTER)
    assert str(caught.value) == f"the SMTP server smtp://127.0.0.1:{port} cannot be used: Connection refused"


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ((b"554 go\r\n",), "554 go"),
        ((b"554-go\r\n554 away\r\n",), "554 go away"),
        ((b"220 hello\r\n", b"554 not you\r\n", b"554 nor so\r\n"), "554 nor so"),
        ((b"",), "Connection unexpectedly closed"),
        ((b"220 hello\r\n", b""), "onnection"),
        ((b"what?\r\n",), "-1"),
    ],
)
def test_a_server_that_will_not_talk_is_unavailable(replies: tuple[bytes, ...], reason: str) -> None:
    with scripted(replies) as port, pytest.raises(UnavailableError) as caught:
        at(port).connect()
    assert reason in str(caught.value)
    assert f"smtp://127.0.0.1:{port} cannot be used" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_server_that_says_nothing_is_waited_for_only_so_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        account = parse_smtp_url(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(UnavailableError, match="timed out"):
            SmtpTransport(account, 0.2).connect()


@pytest.mark.parametrize("reply", [b"535 5.7.8 s3cret is wrong\r\n", b"454 4.7.0 later\r\n"])
def test_a_refused_password_is_a_wrong_setting_and_is_never_shown(reply: bytes) -> None:
    replies = (b"220 hello\r\n", b"250-here\r\n250 AUTH PLAIN\r\n", reply, reply)
    with scripted(replies) as port, pytest.raises(ConfigError) as caught:
        at(port, "ada:s3cret@").connect()
    expected = f"smtp://127.0.0.1:{port} refused the user name and password ({reply[:3].decode()})"
    assert str(caught.value) == expected
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_password_that_smtp_cannot_carry_is_a_wrong_setting() -> None:
    replies = (b"220 hello\r\n", b"250-here\r\n250 AUTH PLAIN\r\n", b"")
    with scripted(replies) as port, pytest.raises(ConfigError, match="ASCII") as caught:
        at(port, "ada:s%C3%A9cret@").connect()
    assert "cret" not in str(caught.value)


def test_a_user_name_for_a_server_that_takes_none_is_told() -> None:
    with scripted((*HELLO, b"")) as port, pytest.raises(UnavailableError, match="AUTH"):
        at(port, "ada:s3cret@").connect()


def test_a_password_is_not_sent_where_tls_is_required_and_not_offered() -> None:
    with (
        scripted((b"220 hello\r\n", b"250-here\r\n250 AUTH PLAIN\r\n", b"")) as port,
        pytest.raises(UnavailableError) as caught,
    ):
        at(port, "ada:s3cret@", "?starttls=required").connect()
    assert "it does not offer STARTTLS, which the settings require" in str(caught.value)


def test_tls_is_used_only_where_it_is_offered_unless_it_is_required() -> None:
    with scripted((*HELLO, *TAKEN, BYE)) as port, at(port, options="?starttls=auto") as transport:
        assert transport.send(LETTER).verdict is Verdict.SENT


def test_a_server_that_offers_tls_and_cannot_do_it_is_unavailable() -> None:
    with (
        scripted((b"220 hello\r\n", b"250-here\r\n250 STARTTLS\r\n", b"220 go\r\n", b"")) as port,
        pytest.raises(UnavailableError),
    ):
        at(port, options="?starttls=auto").connect()


def test_a_host_name_that_is_none_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match=r"smtp://a\.\.b:25"):
        SmtpTransport(parse_smtp_url("smtp://a..b:25")).connect()


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_messages_of_any_size_go_over_tls(
    scheme: str, certified: ssl.SSLContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    datas = [b"Subject: long\r\n\r\n" + b"Words.\r\n" * lines for lines in (1, 3_000, 300_000)]
    with SmtpServer(tls=certified, implicit_tls=scheme == "smtps") as smtp:
        options = "" if scheme == "smtps" else "?starttls=required"
        with at(smtp.port, options=options, scheme=scheme) as transport:
            for data in datas:
                assert transport.send(Envelope("", LETTER.rcpt_to, data)).verdict is Verdict.SENT
    assert [data for _, _, data in smtp.messages] == datas
    assert smtp.connections == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(certified: ssl.SSLContext) -> None:
    with SmtpServer(tls=certified) as smtp, pytest.raises(UnavailableError, match="certificate verify failed"):
        at(smtp.port, options="?starttls=required").connect()
