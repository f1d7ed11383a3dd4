from __future__ import annotations

import os
import re
import smtplib
import socket
import threading
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.errors import UnavailableError
from newsletter.mail.courier import Parcel
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.sink import Sink
from newsletter.mail.transport import SmtpTransport
from newsletter.smtp_url import SmtpAccount

FROM, ADA, ZOE = "redaction@example.org", "ada@example.org", "zoé@example.org"
DATA = b"Subject: One\r\n\r\nWords.\r\n"
HELLO = b"220 sink\r\n"
ENVELOPE = b"MAIL FROM:<redaction@example.org>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n"
GO_ON = b"250 ok\r\n250 ok\r\n354 go on\r\n"


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as sink:
        yield sink


def connect(sink: Sink) -> socket.socket:
    """A client that has been greeted."""
    link = socket.create_connection((sink.host, sink.port), timeout=10)
    assert read(link, len(HELLO)) == HELLO
    return link


def read(link: socket.socket, size: int) -> bytes:
    """So many bytes, or fewer where the connection ends."""
    received = b""
    while len(received) < size and (data := link.recv(size - len(received))):
        received += data
    return received


def account(sink: Sink) -> SmtpAccount:
    return SmtpAccount(sink.host, sink.port)


class Postbag:
    """A courier with so many letters."""

    def __init__(self, data: bytes, count: int) -> None:
        self.parcels = [Parcel(key, Envelope(FROM, ADA, data)) for key in range(count)]
        self.outcomes: dict[int, Outcome] = {}

    def next_parcel(self) -> Parcel | None:
        return self.parcels.pop() if self.parcels else None

    def leaving(self, slot: int, key: int) -> None:
        """It does not mind."""

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:  # noqa: ARG002
        self.outcomes[key] = outcome


def test_a_plain_client_is_rid_of_its_messages(sink: Sink) -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=10) as client:
        for _ in range(3):
            client.sendmail(FROM, [ADA, "bob@example.org"], DATA)
    assert (sink.messages, sink.bytes) == (3, 3 * len(DATA))


def test_pipelining_and_addresses_outside_ascii_are_offered_and_no_size_is_set(sink: Sink) -> None:
    with smtplib.SMTP(sink.host, sink.port, timeout=10) as client:
        client.ehlo()
        assert client.esmtp_features.keys() == {"pipelining", "8bitmime", "smtputf8"}
    with SmtpTransport(account(sink), 10) as transport:
        assert transport.send(Envelope(FROM, ZOE, DATA)) == Outcome(Verdict.SENT, "250 ok")
    assert sink.messages == 1


@pytest.mark.parametrize(("count", "size"), [(2_000, 1), (40, 200_000), (1, 5_000_000)])
def test_the_transports_messages_are_all_taken_over_its_connections(sink: Sink, count: int, size: int) -> None:
    data = b"Subject: One\r\n\r\n" + b"0123456789abcd\r\n" * (size // 16)
    postbag = Postbag(data, count)
    with SmtpTransport(account(sink), 10) as transport:
        transport.run(postbag)
    assert [outcome.verdict for outcome in postbag.outcomes.values()] == [Verdict.SENT] * count
    assert (sink.messages, sink.bytes) == (count, count * len(data))


@pytest.mark.parametrize(
    "data", [b"", b".\r\n", b"..\r\n.\r\n", b"a\r\n.b\r\n...\r\n", b"\r\n.\r\n", b"\n.\n\r\n", b"a\r.\r\n"]
)
def test_only_a_lone_dot_ends_a_message(sink: Sink, data: bytes) -> None:
    with SmtpTransport(account(sink), 10) as transport:
        for _ in range(2):
            assert transport.send(Envelope(FROM, ADA, data)).verdict is Verdict.SENT
    doubled = data.count(b"\n.") + data.startswith(b".")
    assert (sink.messages, sink.bytes) == (2, 2 * (len(data) + doubled))


def test_everything_may_come_in_one_packet(sink: Sink) -> None:
    with connect(sink) as link:
        link.sendall(b"EHLO me\r\n" + (ENVELOPE + DATA + b".\r\n") * 3 + b"QUIT\r\n")
        replies = read(link, 10_000)
    assert replies.endswith((GO_ON + b"250 ok\r\n") * 3 + b"221 bye\r\n")
    assert (sink.messages, sink.bytes) == (3, 3 * len(DATA))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([b".", b"..", b"\r\n", b"\r\n..", b"\r", b"\n", b"a", b"Word"]), max_size=8),
    st.sets(st.integers(0, 250)),
)
@example([b"\r\n", b".", b"\r\n", b".", b"\r\n"], set())
@example([b".", b"\r\n", b".", b"\r\n"], {90})
def test_commands_and_data_may_be_cut_anywhere(pieces: list[bytes], cuts: set[int]) -> None:
    # A lone dot would end the message, and two of them may share a line's end.
    data = re.sub(rb"(?:\A|(?<=\r\n))\.(?=\r\n)", b"..", b"".join(pieces) + b"a\r\n")
    transcript = b"NOOP\r\n" + (ENVELOPE + data + b".\r\n") * 2 + b"RSET\r\nQUIT\r\n"
    places = sorted({0, len(transcript), *(cut for cut in cuts if cut < len(transcript))})
    expected = b"250 ok\r\n" + (GO_ON + b"250 ok\r\n") * 2 + b"250 ok\r\n221 bye\r\n"
    with Sink() as sink, connect(sink) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for begin, end in pairwise(places):
            link.sendall(transcript[begin:end])
        assert read(link, 10_000) == expected
    assert (sink.messages, sink.bytes) == (2, 2 * len(data))


def test_each_reply_comes_when_its_line_is_whole(sink: Sink) -> None:
    with connect(sink) as link:
        for command in ENVELOPE.splitlines(keepends=True):
            for byte in command[:-1]:
                link.sendall(bytes([byte]))
            link.settimeout(0.01)
            with pytest.raises(TimeoutError):
                link.recv(1)
            link.settimeout(10)
            link.sendall(command[-1:])
            assert read(link, 3) in (b"250", b"354")
            assert read(link, len(b" ok\r\n") if command != b"DATA\r\n" else len(b" go on\r\n")).endswith(b"\r\n")


@pytest.mark.parametrize("line", [b"VRFY ada", b"", b"EHL", b"\xff\xfe", b"D" * 100_000])
def test_a_line_that_is_no_command_is_refused_and_the_next_one_read(sink: Sink, line: bytes) -> None:
    with connect(sink) as link:
        link.sendall(line + b"\r\nnoop\r\nquit\r\n")
        assert read(link, 10_000) == b"500 not known here\r\n250 ok\r\n221 bye\r\n"


def test_a_message_whose_sender_hangs_up_is_not_counted(sink: Sink) -> None:
    with connect(sink) as link:
        link.sendall(ENVELOPE + DATA)
        assert read(link, len(GO_ON)) == GO_ON
    with SmtpTransport(account(sink), 10) as transport:
        assert transport.send(Envelope(FROM, ADA, DATA)).verdict is Verdict.SENT
    assert (sink.messages, sink.bytes) == (1, len(DATA))


def test_one_who_does_not_listen_holds_nobody_up_and_loses_nothing(sink: Sink) -> None:
    commands = 1_000_000  # more than the buffers on the way hold
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.settimeout(10)
        deaf.connect((sink.host, sink.port))
        speaker = threading.Thread(target=deaf.sendall, args=(b"NOOP\r\n" * commands,))
        speaker.start()
        speaker.join(0.2)
        with SmtpTransport(account(sink), 10) as transport:
            assert transport.send(Envelope(FROM, ADA, DATA)).verdict is Verdict.SENT
        with deaf.makefile("rb") as replies:
            assert replies.readline() == HELLO
            assert replies.read(commands * len(b"250 ok\r\n")) == b"250 ok\r\n" * commands
        speaker.join(10)
        assert not speaker.is_alive()


def test_it_ends_with_clients_still_there_and_leaves_neither_threads_nor_sockets() -> None:
    threads, files = threading.active_count(), len(os.listdir("/dev/fd"))
    with Sink() as sink:
        clients = [connect(sink) for _ in range(5)]
        clients[0].sendall(ENVELOPE + DATA)
        assert read(clients[0], len(GO_ON)) == GO_ON
    assert [client.recv(100) for client in clients[1:]] == [b""] * 4
    for client in clients:
        client.close()
    assert threading.active_count() == threads
    assert len(os.listdir("/dev/fd")) == files
    with pytest.raises(UnavailableError), SmtpTransport(account(sink), 1) as transport:
        transport.connect()


def test_it_ends_when_what_it_was_there_for_fails() -> None:
    threads = threading.active_count()
    with pytest.raises(ZeroDivisionError), Sink() as sink:
        raise ZeroDivisionError
    assert threading.active_count() == threads
    assert sink.messages == 0
