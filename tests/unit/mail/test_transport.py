from __future__ import annotations

from collections.abc import Iterator

import pytest

from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.transport import SmtpTransport
from newsletter.smtp_url import parse_smtp_url
from tests.servers.smtp import DROP, SmtpServer

FROM, ADA, BOB = "redaction@example.org", "ada@example.org", "bob@example.org"
DATA = b"Subject: One\r\n\r\nWords.\r\n"


def at(port: int) -> SmtpTransport:
    return SmtpTransport(parse_smtp_url(f"smtp://127.0.0.1:{port}"), 5)


def to(recipient: str, data: bytes = DATA) -> Envelope:
    return Envelope(FROM, recipient, data)


@pytest.fixture
def transport(smtp: SmtpServer) -> Iterator[SmtpTransport]:
    with at(smtp.port) as transport:
        yield transport


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
    [b"", b".\r\n", b"..\r\n.\r\n\r\n", b"a\r\n.b\r\n...\r\n", b"\r\n.\r\n", b"a\r\n" * 50_000 + b".end\r\n"],
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


def test_a_message_without_a_line_end_gets_one(smtp: SmtpServer, transport: SmtpTransport) -> None:
    assert transport.send(to(ADA, b"Subject: One\r\n\r\nWords.")).verdict is Verdict.SENT
    assert smtp.messages[0][2] == DATA


@pytest.mark.parametrize(("sender", "recipient"), [(FROM, "zoé@example.org"), ("rédaction@example.org", ADA)])
def test_an_address_may_hold_any_letter_where_the_server_takes_it(
    smtp: SmtpServer, transport: SmtpTransport, sender: str, recipient: str
) -> None:
    assert transport.send(Envelope(sender, recipient, DATA)).verdict is Verdict.SENT
    assert smtp.messages == [(sender, [recipient], DATA)]


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
