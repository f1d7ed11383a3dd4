from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from typing import BinaryIO

import pytest

from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.transport import SmtpTransport
from newsletter.smtp_url import SmtpAccount, parse_smtp_url
from tests.servers.scripted import BYE, CHUNK_TAKEN, CHUNKING, HELLO, TAKEN, scripted, serving
from tests.unit.mail.bag import Bag

FROM, ADA, BOB = "redaction@example.org", "ada@example.org", "bob@example.org"
DATA = b"Subject: One\r\n\r\nWords.\r\n"
DIALOGUES = [(HELLO, TAKEN), (CHUNKING, CHUNK_TAKEN)]


def at(port: int) -> SmtpTransport:
    return SmtpTransport(parse_smtp_url(f"smtp://127.0.0.1:{port}"), 5)


def to(recipient: str, data: bytes = DATA) -> Envelope:
    return Envelope(FROM, recipient, data)


def test_a_kept_connection_that_the_server_took_leave_of_is_opened_again_without_loss() -> None:
    idle = (*HELLO, *TAKEN[:-1], b"250 kept\r\n421 4.4.2 idle for too long\r\n")
    with scripted(idle, (*HELLO, *TAKEN, BYE)) as port, at(port) as transport:
        assert transport.send(to(ADA)).reply == "250 kept"
        assert transport.send(to(BOB)).reply == "250 kept"


@pytest.mark.parametrize(("hello", "taken"), DIALOGUES)
def test_a_message_is_taken_with_or_without_chunks(hello: Sequence[bytes], taken: Sequence[bytes]) -> None:
    with scripted((*hello, *taken, *taken, BYE)) as port, at(port) as transport:
        assert transport.send(to(ADA)) == Outcome(Verdict.SENT, "250 kept")
        assert transport.send(to(BOB)) == Outcome(Verdict.SENT, "250 kept")


@pytest.mark.parametrize(("hello", "taken"), DIALOGUES)
def test_a_server_that_takes_its_leave_at_any_step_is_heard(hello: Sequence[bytes], taken: Sequence[bytes]) -> None:
    for step in range(len(taken)):
        with scripted((*hello, *taken[:step], b"421 4.3.2 closing\r\n")) as port, at(port) as transport:
            assert transport.send(to(ADA)) == Outcome(Verdict.DEFERRED, "421 4.3.2 closing")


@pytest.mark.parametrize(("hello", "taken"), DIALOGUES)
def test_only_a_connection_that_ends_between_data_and_reply_leaves_doubt(
    hello: Sequence[bytes], taken: Sequence[bytes]
) -> None:
    for step in range(len(taken)):
        with scripted((*hello, *taken[:step], b"")) as port, at(port) as transport:
            is_last = step == len(taken) - 1
            assert transport.send(to(ADA)).verdict is (Verdict.UNCERTAIN if is_last else Verdict.DEFERRED)


@pytest.mark.parametrize(("hello", "taken"), DIALOGUES)
def test_a_connection_that_ends_while_data_leaves_leaves_no_doubt(
    hello: Sequence[bytes], taken: Sequence[bytes]
) -> None:
    def hold(client: socket.socket, lines: BinaryIO) -> None:
        for reply in (*hello, *taken[:-1]):
            client.sendall(reply)
            lines.readline()

    with serving(hold) as port, at(port) as transport:
        outcome = transport.send(to(ADA, DATA + b"Words.\r\n" * 5_000_000))
    assert outcome.verdict is Verdict.DEFERRED
    assert outcome.reply.startswith("connection lost: ")


def test_a_chunk_is_sent_as_it_is_with_its_size() -> None:
    data = b"Subject: dots\r\n\r\n.\r\n..\r\nno line end"
    heard = []

    def hold(client: socket.socket, lines: BinaryIO) -> None:
        for reply in (b"220 hello\r\n", b"250-here\r\n250-SIZE\r\n250 CHUNKING\r\n", b"250 ok\r\n", b"250 ok\r\n"):
            client.sendall(reply)
            heard.append(lines.readline())
        heard.append(lines.read(len(data)))
        client.sendall(b"250 kept\r\n")
        heard.append(lines.readline())

    with serving(hold) as port, at(port) as transport:
        assert transport.send(to(ADA, data)) == Outcome(Verdict.SENT, "250 kept")
    assert heard[1:] == [
        f"MAIL FROM:<{FROM}> SIZE={len(data)}\r\n".encode(),
        f"RCPT TO:<{ADA}>\r\n".encode(),
        f"BDAT {len(data)} LAST\r\n".encode(),
        data,
        b"quit\r\n",
    ]


@pytest.mark.parametrize("place", [0, 1])
def test_no_chunk_is_sent_for_a_refused_recipient(place: int) -> None:
    refused = (*CHUNK_TAKEN[:place], b"550 5.1.1 no such user\r\n")
    script = (*CHUNKING, *refused, b"250 reset\r\n", *CHUNK_TAKEN, BYE)
    with scripted(script) as port, at(port) as transport:
        assert transport.send(to(ADA)) == Outcome(Verdict.REJECTED, "550 5.1.1 no such user")
        assert transport.send(to(BOB)).verdict is Verdict.SENT


@pytest.mark.parametrize(("hello", "taken"), DIALOGUES)
def test_replies_may_come_byte_by_byte(hello: Sequence[bytes], taken: Sequence[bytes]) -> None:
    script = (*hello, *taken[:-1], b"250-2.0.0 kept\r\n250 for ever\r\n", BYE)
    with scripted(script, pieces=1) as port, at(port) as transport:
        assert transport.send(to(ADA)) == Outcome(Verdict.SENT, "250 2.0.0 kept for ever")


@pytest.mark.parametrize(("step", "verdict"), [(0, Verdict.DEFERRED), (2, Verdict.DEFERRED), (3, Verdict.UNCERTAIN)])
def test_a_server_that_falls_silent_is_waited_for_only_so_long(step: int, verdict: Verdict) -> None:
    def hold(client: socket.socket, lines: BinaryIO) -> None:
        for reply in (*HELLO, *TAKEN[:step]):
            client.sendall(reply)
            lines.readline()
        while lines.readline():
            pass

    with serving(hold) as port, SmtpTransport(parse_smtp_url(f"smtp://127.0.0.1:{port}"), 0.2) as transport:
        outcome = transport.send(to(ADA))
    assert outcome.verdict is verdict
    assert outcome.reply.endswith("no answer within 0.2 seconds")


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
    replies = (*HELLO, *TAKEN[:-1], b"250-2.0.0 kept\r\n250-as\r\n250 one\r\n", BYE)
    with scripted(replies) as port, at(port) as transport:
        assert transport.send(to(ADA)) == Outcome(Verdict.SENT, "250 2.0.0 kept as one")


def test_an_address_beyond_ascii_is_refused_where_the_server_does_not_take_it() -> None:
    with scripted((*HELLO, BYE)) as port, at(port) as transport:
        outcome = transport.send(to("zoé@example.org"))
    assert outcome.verdict is Verdict.REJECTED
    assert "no SMTPUTF8" in outcome.reply


@pytest.mark.parametrize("chunking", [True, False])
def test_one_message_at_most_is_in_doubt_while_the_next_is_announced(chunking: bool) -> None:
    size = b"BDAT %d LAST\r\n" % len(DATA) if chunking else b""
    announcements = [
        f"MAIL FROM:<{FROM}>\r\nRCPT TO:<{recipient}>\r\n".encode() + (b"" if chunking else b"DATA\r\n")
        for recipient in (ADA, BOB)
    ]
    body = size + DATA if chunking else DATA + b".\r\n"
    ready = b"250 ok\r\n250 ok\r\n" + (b"" if chunking else b"354 go\r\n")
    offered = b"250-here\r\n250-PIPELINING\r\n" + (b"250 CHUNKING\r\n" if chunking else b"250 8BITMIME\r\n")

    def hold(client: socket.socket, lines: BinaryIO) -> None:
        client.sendall(b"220 hello\r\n")
        lines.readline()
        client.sendall(offered)
        for expected, reply in (
            (announcements[0], ready),
            (body + announcements[1], b"250 kept\r\n" + ready),
            (body, b"250 kept\r\n"),
            (b"quit\r\n", BYE),
        ):
            assert client.recv(len(expected), socket.MSG_WAITALL) == expected
            assert select.select([client], [], [], 0.1)[0] == []
            client.sendall(reply)

    bag = Bag([to(ADA), to(BOB)])
    with serving(hold) as port, SmtpTransport(SmtpAccount("127.0.0.1", port), 5, connections=1) as transport:
        transport.run(bag)
    assert bag.verdicts == {Verdict.SENT: 2}
    assert bag.left == [0, 1]


def test_nothing_is_sent_to_a_server_that_asks_for_data_of_a_refused_recipient() -> None:
    hello = (b"220 hello\r\n", b"250-here\r\n250 PIPELINING\r\n")
    refused = (b"250 ok\r\n", b"550 no such user\r\n", b"354 go\r\n")
    heard = []

    def hold(client: socket.socket, lines: BinaryIO) -> None:
        for reply in (*hello, *refused, b"554 no recipients\r\n", b"250 reset\r\n", *TAKEN):
            client.sendall(reply)
            heard.append(lines.readline())
            while heard[-1] in DATA.splitlines(keepends=True):
                heard[-1] = lines.readline()
        client.sendall(BYE)

    with serving(hold) as port, at(port) as transport:
        assert transport.send(to(ADA)) == Outcome(Verdict.REJECTED, "550 no such user")
        assert transport.send(to(BOB)).verdict is Verdict.SENT
    assert [line.split(b":")[0].strip() for line in heard[1:]] == [
        b"MAIL FROM", b"RCPT TO", b"DATA", b".", b"RSET", b"MAIL FROM", b"RCPT TO", b"DATA", b".", b"quit",
    ]  # fmt: skip
