from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Thread

import pytest

from newsletter.errors import ConfigError, UnavailableError
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.transport import SmtpTransport
from newsletter.smtp_url import parse_smtp_url
from tests.servers.smtp import DROP, SmtpServer

FROM, ADA, BOB = "redaction@example.org", "ada@example.org", "bob@example.org"
DATA = b"Subject: One\r\n\r\nWords.\r\n"
Connect = Callable[[], SmtpTransport]


@pytest.fixture
def transport(smtp: SmtpServer) -> Iterator[SmtpTransport]:
    with SmtpTransport(parse_smtp_url(f"smtp://127.0.0.1:{smtp.port}"), 5) as transport:
        yield transport


def to(recipient: str, data: bytes = DATA) -> Envelope:
    return Envelope(FROM, recipient, data)


@contextmanager
def scripted(*connections: Sequence[bytes]) -> Iterator[int]:
    """The port of a server that answers each line, and each message, with the next reply of its connection's script.

    A connection is closed after its last reply.
    """

    def serve() -> None:
        for script in connections:
            client, _ = listener.accept()
            with client, client.makefile("rb") as lines:
                for reply in script:
                    client.sendall(reply)
                    if reply is not script[-1] and lines.readline().startswith(b"Subject"):
                        while lines.readline() not in (b".\r\n", b""):
                            pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        thread = Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)
        assert not thread.is_alive()


HELLO = (b"220 hello\r\n", b"250 here\r\n")
TAKEN = (b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 kept\r\n")


def at(port: int, account: str = "", options: str = "") -> SmtpTransport:
    return SmtpTransport(parse_smtp_url(f"smtp://{account}127.0.0.1:{port}{options}"), 5)


def test_a_message_is_handed_over_byte_for_byte(smtp: SmtpServer, transport: SmtpTransport) -> None:
    assert transport.send(to(ADA)) == Outcome(Verdict.SENT, "250 2.0.0 OK")
    assert smtp.messages == [(FROM, [ADA], DATA)]


def test_many_messages_go_over_one_connection(smtp: SmtpServer, transport: SmtpTransport) -> None:
    transport.connect()
    outcomes = [transport.send(to(f"{number}@example.org")) for number in range(30)]
    assert {outcome.verdict for outcome in outcomes} == {Verdict.SENT}
    assert [recipients for _, recipients, _ in smtp.messages] == [[f"{number}@example.org"] for number in range(30)]
    assert smtp.connections == 1


@pytest.mark.parametrize(
    "data",
    [b".\r\n", b"..\r\n.\r\n\r\n", b"a\r\n.b\r\n...\r\n", b"\r\n.\r\n", b"a\r\n" * 50_000 + b".end\r\n"],
)
def test_leading_dots_arrive_as_they_were(smtp: SmtpServer, transport: SmtpTransport, data: bytes) -> None:
    assert transport.send(to(ADA, data)).verdict is Verdict.SENT
    assert smtp.messages[0][2] == data


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [("550 5.1.1 no such user", Verdict.REJECTED), ("451 4.7.1 try again later", Verdict.DEFERRED)],
)
def test_a_refused_recipient_is_told_in_the_servers_words_and_harms_no_other(
    smtp: SmtpServer, transport: SmtpTransport, reply: str, verdict: Verdict
) -> None:
    smtp.refuse[ADA] = reply
    assert transport.send(to(ADA)) == Outcome(verdict, reply)
    assert transport.send(to(BOB)).verdict is Verdict.SENT
    assert [recipients for _, recipients, _ in smtp.messages] == [[BOB]]
    assert smtp.connections == 1


@pytest.mark.parametrize(
    ("reply", "verdict"), [("553 5.1.8 not you", Verdict.REJECTED), ("450 4.1.8 not now", Verdict.DEFERRED)]
)
def test_a_refused_sender_is_told(smtp: SmtpServer, transport: SmtpTransport, reply: str, verdict: Verdict) -> None:
    smtp.refuse_mail[FROM] = reply
    assert transport.send(to(ADA)) == Outcome(verdict, reply)
    smtp.refuse_mail.clear()
    assert transport.send(to(ADA)).verdict is Verdict.SENT
    assert smtp.connections == 1


@pytest.mark.parametrize(
    ("reply", "verdict"), [("554 5.7.1 spam", Verdict.REJECTED), ("452 4.3.1 disk full", Verdict.DEFERRED)]
)
def test_a_refusal_after_the_data_is_told(
    smtp: SmtpServer, transport: SmtpTransport, reply: str, verdict: Verdict
) -> None:
    smtp.refuse_data[ADA] = reply
    assert transport.send(to(ADA)) == Outcome(verdict, reply)
    assert transport.send(to(BOB)).verdict is Verdict.SENT
    assert (len(smtp.messages), smtp.connections) == (1, 1)


@pytest.mark.parametrize("kept", [False, True])
def test_a_connection_that_breaks_after_the_final_dot_leaves_doubt_and_is_never_tried_again(
    smtp: SmtpServer, transport: SmtpTransport, kept: bool
) -> None:
    if kept:
        transport.send(to(BOB))
    smtp.refuse_data[ADA] = DROP
    outcome = transport.send(to(ADA))
    assert outcome.verdict is Verdict.UNCERTAIN
    assert outcome.reply.startswith("connection lost before the server confirmed the message")
    assert [recipients for _, recipients, _ in smtp.messages].count([ADA]) == 1
    assert transport.send(to(BOB)).verdict is Verdict.SENT
    assert smtp.connections == 2


@pytest.mark.parametrize("refusals", ["refuse", "refuse_mail"])
def test_a_connection_that_breaks_before_the_data_leaves_no_doubt(
    smtp: SmtpServer, transport: SmtpTransport, refusals: str
) -> None:
    getattr(smtp, refusals).update({ADA: DROP, FROM: DROP})
    outcome = transport.send(to(ADA))
    assert outcome.verdict is Verdict.DEFERRED
    assert outcome.reply.startswith("connection lost")
    getattr(smtp, refusals).clear()
    assert transport.send(to(ADA)).verdict is Verdict.SENT
    assert len(smtp.messages) == 1


def test_a_closing_server_is_left_and_found_again(smtp: SmtpServer, transport: SmtpTransport) -> None:
    smtp.refuse[ADA] = "421 4.3.2 shutting down"
    assert transport.send(to(ADA)) == Outcome(Verdict.DEFERRED, "421 4.3.2 shutting down")
    assert transport.send(to(BOB)).verdict is Verdict.SENT
    assert smtp.connections == 2


def test_a_kept_connection_that_the_server_closed_is_opened_again_without_loss() -> None:
    with SmtpServer(drop_after=1) as smtp, at(smtp.port) as transport:
        for number in range(5):
            assert transport.send(to(f"{number}@example.org")).verdict is Verdict.SENT
        assert [recipients[0][0] for _, recipients, _ in smtp.messages] == list("01234")
        assert smtp.connections == 5


def test_a_kept_connection_that_the_server_took_leave_of_is_opened_again_without_loss() -> None:
    idle = (*HELLO, *TAKEN[:-1], b"250 kept\r\n421 4.4.2 idle for too long\r\n")
    with scripted(idle, (*HELLO, *TAKEN, b"221 bye\r\n")) as port, at(port) as transport:
        assert transport.send(to(ADA)).reply == "250 kept"
        assert transport.send(to(BOB)).reply == "250 kept"


@pytest.mark.parametrize("garbled", [b"what?\r\n", b"\r\n", b"2x0 ok\r\n", b"\xff\xfe\r\n"])
def test_an_answer_to_the_message_that_makes_no_sense_leaves_doubt(garbled: bytes) -> None:
    with scripted((*HELLO, *TAKEN[:-1], garbled)) as port, at(port) as transport:
        outcome = transport.send(to(ADA))
    assert outcome.verdict is Verdict.UNCERTAIN
    assert len(outcome.reply.splitlines()) == 1


@pytest.mark.parametrize("place", [0, 1, 2])
def test_an_earlier_answer_that_makes_no_sense_leaves_no_doubt(place: int) -> None:
    with scripted((*HELLO, *TAKEN[:place], b"what?\r\n")) as port, at(port) as transport:
        assert transport.send(to(ADA)).verdict is Verdict.DEFERRED


def test_a_refusal_counts_though_the_connection_breaks_right_after() -> None:
    with scripted((*HELLO, b"250 ok\r\n", b"550 no such user\r\n")) as port, at(port) as transport:
        assert transport.send(to(ADA)) == Outcome(Verdict.REJECTED, "550 no such user")


def test_a_refused_sender_is_not_asked_for_the_recipient() -> None:
    with scripted((*HELLO, b"421 go away\r\n")) as port, at(port) as transport:
        assert transport.send(to(ADA)) == Outcome(Verdict.DEFERRED, "421 go away")


def test_a_reply_of_many_lines_is_kept_on_one() -> None:
    replies = (*HELLO, *TAKEN[:-1], b"250-2.0.0 kept\r\n250-as\r\n250 one\r\n", b"221 bye\r\n")
    with scripted(replies) as port, at(port) as transport:
        assert transport.send(to(ADA)) == Outcome(Verdict.SENT, "250 2.0.0 kept as one")


def test_a_server_without_extensions_is_good_enough() -> None:
    replies = (b"220 hello\r\n", b"502 what?\r\n", b"250 here\r\n", *TAKEN, b"221 bye\r\n")
    with scripted(replies) as port, at(port) as transport:
        assert transport.send(to(ADA)).verdict is Verdict.SENT


@pytest.mark.parametrize(("sender", "recipient"), [(FROM, "zoé@example.org"), ("rédaction@example.org", ADA)])
def test_an_address_may_hold_any_letter_where_the_server_takes_it(
    smtp: SmtpServer, transport: SmtpTransport, sender: str, recipient: str
) -> None:
    assert transport.send(Envelope(sender, recipient, DATA)).verdict is Verdict.SENT
    assert smtp.messages == [(sender, [recipient], DATA)]


def test_an_address_beyond_ascii_is_refused_where_the_server_does_not_take_it() -> None:
    with scripted((*HELLO, b"221 bye\r\n")) as port, at(port) as transport:
        outcome = transport.send(to("zoé@example.org"))
    assert outcome.verdict is Verdict.REJECTED
    assert "no SMTPUTF8" in outcome.reply


def test_nobody_listening_is_told_with_host_and_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(UnavailableError) as caught:
        at(port).send(to(ADA))
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
    with scripted((*HELLO, *TAKEN, b"221 bye\r\n")) as port, at(port, options="?starttls=auto") as transport:
        assert transport.send(to(ADA)).verdict is Verdict.SENT


def test_a_server_that_offers_tls_and_cannot_do_it_is_unavailable() -> None:
    with (
        scripted((b"220 hello\r\n", b"250-here\r\n250 STARTTLS\r\n", b"220 go\r\n", b"")) as port,
        pytest.raises(UnavailableError),
    ):
        at(port, options="?starttls=auto").connect()


def test_a_host_name_that_is_none_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match=r"smtp://a\.\.b:25"):
        SmtpTransport(parse_smtp_url("smtp://a..b:25")).connect()


def test_closing_twice_or_unopened_is_harmless(smtp: SmtpServer) -> None:
    transport = at(smtp.port)
    transport.close()
    transport.connect()
    transport.close()
    transport.close()
    assert smtp.connections == 1


def test_a_closed_transport_opens_again(smtp: SmtpServer, transport: SmtpTransport) -> None:
    transport.send(to(ADA))
    transport.close()
    assert transport.send(to(BOB)).verdict is Verdict.SENT
    assert smtp.connections == 2
