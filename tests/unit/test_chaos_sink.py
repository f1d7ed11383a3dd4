from __future__ import annotations

import smtplib
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import UnavailableError
from newsletter.mail.courier import Parcel
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.transport import SmtpTransport
from newsletter.smtp_url import parse_smtp_url
from tests.bench.processes import cpu_seconds
from tests.servers.chaos_sink import ChaosSink
from tests.servers.chaos_sink.log import Log, read

FROM, ADA, BOB, EVE = "from@example.org", "ada@example.org", "bob@example.org", "eve@example.net"
LETTER = b"Message-ID: <1@example.org>\r\nSubject: letter\r\n\r\n..Hello\r\n"
HELLO = b"EHLO me\r\n"
TO_ADA = b"MAIL FROM:<from@example.org>\r\nRCPT TO:<ada@example.org>\r\n"
LATER, NEVER = "451 4.3.0 later", "550 5.1.1 no such user"

PARENT = """
import time
from tests.servers.chaos_sink import ChaosSink
with ChaosSink() as sink:
    print(sink.port, flush=True)
    time.sleep(60)
"""


class Letters:
    """A courier with as many letters, each to a reader of its own."""

    def __init__(self, count: int, data: bytes = LETTER) -> None:
        envelopes = (Envelope(FROM, f"reader{number}@example.org", data) for number in range(count))
        self._parcels = (Parcel(number, envelope) for number, envelope in enumerate(envelopes))
        self._outcomes: dict[str, Verdict] = {}

    @property
    def verdicts(self) -> Counter[Verdict]:
        return Counter(self._outcomes.values())

    def confirmed(self) -> set[str]:
        return {recipient for recipient, verdict in self._outcomes.items() if verdict is Verdict.SENT}

    def next_parcel(self) -> Parcel | None:
        return next(self._parcels, None)

    def leaving(self, slot: int, key: int) -> None:
        """Nobody waits to hear it."""

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:  # noqa: ARG002
        self._outcomes[f"reader{key}@example.org"] = outcome.verdict


@pytest.fixture(scope="module")
def running() -> Iterator[ChaosSink]:
    with ChaosSink() as sink:
        yield sink


@pytest.fixture
def sink(running: ChaosSink) -> ChaosSink:
    """One whose log is empty and whose behaviour is good."""
    running.behave()
    running._log.write_bytes(b"")
    return running


def transport(sink: ChaosSink) -> SmtpTransport:
    return SmtpTransport(parse_smtp_url(sink.url), 5)


def send(sink: ChaosSink, *recipients: str, data: bytes = LETTER) -> list[Outcome]:
    """What became of one letter to each, one after the other over kept connections."""
    with transport(sink) as carrier:
        return [carrier.send(Envelope(FROM, recipient, data)) for recipient in recipients]


def verdicts(sink: ChaosSink, *recipients: str) -> list[Verdict]:
    return [outcome.verdict for outcome in send(sink, *recipients)]


def codes(sink: ChaosSink, *pieces: bytes) -> list[int]:
    """The codes of all replies but the greeting to what is sent in these pieces and ended by QUIT."""
    with socket.create_connection((sink.host, sink.port), 5) as client, client.makefile("rb") as lines:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (*pieces, b"QUIT\r\n"):
            client.sendall(piece)
        return [int(line[:3]) for line in lines if line[3:4] == b" "][1:]


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_every_accepted_message_is_in_the_log_with_its_recipients(sink: ChaosSink) -> None:
    before = time.time()
    with smtplib.SMTP(sink.host, sink.port) as client:
        client.sendmail(FROM, [ADA, BOB], LETTER)
        client.sendmail(FROM, ADA, b"Subject: no id\r\n\r\n")
    first, second = sink.accepted()
    assert (first.recipients, first.message_id) == ((ADA, BOB), "<1@example.org>")
    assert first.bytes == len(LETTER) + 1  # as transmitted: its leading dot is doubled
    assert (second.recipients, second.message_id) == ((ADA,), "")
    assert first.connection == second.connection
    assert before <= first.time <= second.time <= time.time()
    assert sink.counts() == {ADA: 2, BOB: 1}


def test_nothing_is_lost_or_doubled_over_several_pipelined_connections(sink: ChaosSink) -> None:
    letters = Letters(2000)
    with transport(sink) as carrier:
        carrier.run(letters)
    assert letters.verdicts == {Verdict.SENT: 2000}
    assert sink.counts() == {f"reader{number}@example.org": 1 for number in range(2000)}
    assert len({message.connection for message in sink.accepted()}) > 1


def test_a_message_may_be_split_anywhere(sink: ChaosSink) -> None:
    whole = HELLO + TO_ADA + b"DATA\r\n" + LETTER + b".\r\n" + TO_ADA + b"BDAT 3\r\n.\r\nBDAT 2 LAST\r\n\r\n"
    replies = [250, 250, 250, 354, 250, 250, 250, 250, 250, 221]
    assert codes(sink, whole) == replies
    assert codes(sink, *(whole[place : place + 1] for place in range(len(whole)))) == replies
    for place in range(len(HELLO + TO_ADA), len(whole)):
        assert codes(sink, whole[:place], whole[place:]) == replies
    assert {message.bytes for message in sink.accepted()} == {len(LETTER), 5}


def test_a_message_may_have_no_lines(sink: ChaosSink) -> None:
    assert codes(sink, HELLO, TO_ADA, b"DATA\r\n.\r\n") == [250, 250, 250, 354, 250, 221]
    assert [message.bytes for message in sink.accepted()] == [0]


def test_a_folded_message_id_is_found_and_one_in_the_body_is_not(sink: ChaosSink) -> None:
    send(sink, ADA, data=b"Message-ID:\r\n <2@example.org>\r\n\r\n")
    send(sink, ADA, data=b"Message-ID:\r\nSubject: none\r\n\r\nMessage-ID: <3@example.org>\r\n")
    assert [message.message_id for message in sink.accepted()] == ["<2@example.org>", ""]


def test_addresses_outside_ascii_are_taken(sink: ChaosSink) -> None:
    assert verdicts(sink, "zoé@example.org") == [Verdict.SENT]
    assert sink.counts() == {"zoé@example.org": 1}


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (TO_ADA + b"DATA\r\n", [503, 503, 503]),
        (HELLO + b"RCPT TO:<a@example.org>\r\nDATA\r\n", [250, 503, 503]),
        (HELLO + TO_ADA + b"MAIL FROM:<>\r\n", [250, 250, 250, 503]),
        (HELLO + b"MAIL FROM:<>\r\nDATA\r\n", [250, 250, 554]),
        (HELLO + TO_ADA + b"RSET\r\nDATA\r\n", [250, 250, 250, 250, 503]),
        (HELLO + TO_ADA + HELLO + b"DATA\r\n", [250, 250, 250, 250, 503]),
        (b"HELO me\r\nNOOP\r\nVRFY ada\r\nnonsense\r\n", [250, 250, 502, 502]),
        (HELLO + b"MAIL from@example.org\r\n", [250, 501]),
        (HELLO + b"mail from: <>\r\nRCPT ada\r\nrcpt to: <ada@example.org>\r\n", [250, 250, 501, 250]),
        (HELLO + TO_ADA + b"BDAT\r\nBDAT x LAST\r\n", [250, 250, 250, 501, 501]),
        (HELLO + b"BDAT 12 LAST\r\nNOOP\r\nNOOP\r\nNOOP\r\n", [250, 503, 250]),
        (HELLO + b"MAIL FROM:<>\r\nBDAT 6\r\nNOOP\r\nBDAT 0 LAST\r\n", [250, 250, 554, 503]),
        (HELLO + TO_ADA + b"BDAT 2\r\n\r\nDATA\r\nRCPT TO:<b@example.org>\r\n", [250, 250, 250, 250, 503, 503]),
        (HELLO + TO_ADA + b"BDAT 0 LAST\r\nBDAT 2 LAST\r\n\r\n", [250, 250, 250, 250, 503]),
        (HELLO + TO_ADA + b"BDAT 2\r\n\r\nRSET\r\nBDAT 0 LAST\r\n", [250, 250, 250, 250, 250, 503]),
    ],
)
def test_commands_out_of_order_or_unknown_are_answered_one_by_one(
    sink: ChaosSink, commands: bytes, expected: list[int]
) -> None:
    assert codes(sink, commands) == [*expected, 221]


def test_data_after_a_refused_recipient_has_no_valid_recipients(sink: ChaosSink) -> None:
    sink.behave(refuse={ADA: NEVER})
    assert codes(sink, HELLO, TO_ADA + b"DATA\r\nRSET\r\n") == [250, 250, 550, 554, 250, 221]
    assert verdicts(sink, ADA, BOB, ADA, BOB) == [Verdict.REJECTED, Verdict.SENT] * 2
    assert sink.counts() == {BOB: 2}


def test_whole_domains_and_everybody_can_be_refused(sink: ChaosSink) -> None:
    sink.behave(refuse_domain={"example.net": LATER})
    assert verdicts(sink, EVE, "eve@EXAMPLE.NET", ADA) == [Verdict.DEFERRED, Verdict.DEFERRED, Verdict.SENT]
    for step in ("mail", "rcpt", "data"):
        sink.behave(refuse_all={"step": step, "reply": LATER})
        assert send(sink, ADA, BOB) == [Outcome(Verdict.DEFERRED, LATER)] * 2
        sink.behave(refuse_all={"step": step, "reply": "421 4.3.2 closing"})
        assert send(sink, ADA) == [Outcome(Verdict.DEFERRED, "421 4.3.2 closing")]
    assert sink.counts() == {ADA: 1}


def test_a_refused_chunk_is_read_before_it_is_answered(sink: ChaosSink) -> None:
    sink.behave(refuse_all={"step": "data", "reply": LATER})
    assert codes(sink, HELLO, TO_ADA, b"BDAT 6 LAST\r\nNOOP\r\n") == [250, 250, 250, 451, 221]


@pytest.mark.parametrize(("reply", "after"), [("554 5.3.2 no mail here", [503, 503, 221]), ("421 4.3.2 busy", [])])
def test_a_connection_may_be_refused_at_its_greeting(sink: ChaosSink, reply: str, after: list[int]) -> None:
    sink.behave(refuse_all={"step": "greeting", "reply": reply})
    with pytest.raises(UnavailableError, match=reply[:3]):
        send(sink, ADA)
    with socket.create_connection((sink.host, sink.port), 5) as client, client.makefile("rb") as lines:
        assert lines.readline() == f"{reply}\r\n".encode()
        if after:
            client.sendall(HELLO + TO_ADA[:30] + b"QUIT\r\n")
        assert [int(line[:3]) for line in lines] == after


@pytest.mark.parametrize(
    ("step", "verdict", "kept"),
    [
        ("before_mail", Verdict.DEFERRED, 0),
        ("after_rcpt", Verdict.DEFERRED, 0),
        ("in_data", Verdict.UNCERTAIN, 0),
        ("after_dot", Verdict.UNCERTAIN, 0),
        ("before_reply", Verdict.UNCERTAIN, 1),
    ],
)
def test_the_next_messages_are_dropped_at_a_step_and_no_more(
    sink: ChaosSink, step: str, verdict: Verdict, kept: int
) -> None:
    # With BDAT the body is on its way as soon as the recipient is granted.
    sink.behave(drop={"step": step, "next": 2}, chunking=False)
    assert [send(sink, ADA)[0].verdict for _ in range(3)] == [verdict, verdict, Verdict.SENT]
    assert sink.counts() == {ADA: 2 * kept + 1}


def test_the_next_connections_are_dropped_without_a_greeting(sink: ChaosSink) -> None:
    sink.behave(drop={"step": "greeting", "next": 1})
    with pytest.raises(UnavailableError):
        send(sink, ADA)
    assert verdicts(sink, ADA) == [Verdict.SENT]


@pytest.mark.parametrize("step", ["in_data", "after_dot", "before_reply"])
def test_a_message_in_chunks_is_dropped_as_one_in_lines_is(sink: ChaosSink, step: str) -> None:
    sink.behave(drop={"step": step, "next": 1})
    chunks = TO_ADA + b"BDAT 2\r\n\r\nBDAT 2 LAST\r\n\r\n"
    taken = [] if step == "in_data" else [250]
    assert codes(sink, HELLO + chunks) == [250, 250, 250, *taken]
    assert codes(sink, HELLO + chunks) == [250, 250, 250, 250, 250, 221]
    assert sink.counts() == {ADA: 2 if step == "before_reply" else 1}


def test_a_connection_is_dropped_in_data_before_all_of_it_was_sent(sink: ChaosSink) -> None:
    sink.behave(drop={"step": "in_data", "next": 1})
    with socket.create_connection((sink.host, sink.port), 5) as client, client.makefile("rb") as lines:
        client.sendall(HELLO + TO_ADA + b"DATA\r\nSubject: ")
        assert lines.readlines()[-1].startswith(b"354")
    assert sink.accepted() == []


def test_replies_that_were_due_before_a_drop_are_given(sink: ChaosSink) -> None:
    letter = TO_ADA + b"DATA\r\n" + LETTER + b".\r\n"
    sink.behave(drop={"step": "after_rcpt", "next": 1})
    assert codes(sink, HELLO + letter) == [250, 250, 250]
    with socket.create_connection((sink.host, sink.port), 5) as client, client.makefile("rb") as lines:
        client.sendall(HELLO + letter)
        while not lines.readline().startswith(b"354"):
            pass
        sink.behave(drop={"step": "before_mail", "next": 1})
        client.sendall(letter)
        assert [line[:3] for line in lines] == [b"250"]


def test_a_fraction_of_the_messages_is_dropped(sink: ChaosSink) -> None:
    letters = Letters(300)
    sink.behave(drop={"step": "before_reply", "fraction": 0.5})
    with transport(sink) as carrier:
        carrier.run(letters)
    assert len(sink.accepted()) == 300
    assert 90 < letters.verdicts[Verdict.UNCERTAIN] < 210
    assert letters.verdicts.total() == 300


def test_a_connection_is_closed_with_421_after_as_many_messages_as_told(sink: ChaosSink) -> None:
    sink.behave(close_after=2)
    with smtplib.SMTP(sink.host, sink.port) as client:
        client.sendmail(FROM, ADA, LETTER)
        client.sendmail(FROM, ADA, LETTER)
        with pytest.raises(smtplib.SMTPSenderRefused, match="too many messages"):
            client.sendmail(FROM, ADA, LETTER)
    letters = Letters(50)
    with transport(sink) as carrier:
        carrier.run(letters)
    assert letters.verdicts == {Verdict.SENT: 50}
    assert max(Counter(message.connection for message in sink.accepted()).values()) == 2


def test_a_delayed_reply_comes_after_its_message_is_in_the_log(sink: ChaosSink) -> None:
    sink.behave(delay=0.3)
    letter = TO_ADA + b"DATA\r\n" + LETTER + b".\r\n"
    assert codes(sink, HELLO + letter + letter) == [250, *[250, 250, 354, 250] * 2, 221]
    first, second = sink.accepted()
    assert second.time - first.time >= 0.3
    assert time.time() - second.time >= 0.3


def test_a_client_may_leave_while_its_reply_is_delayed(sink: ChaosSink) -> None:
    sink.behave(delay=0.2)
    with socket.create_connection((sink.host, sink.port), 5) as client:
        client.sendall(HELLO + TO_ADA + b"BDAT 0 LAST\r\n")
        while not sink.accepted():
            time.sleep(0.01)
    sink.behave()
    time.sleep(0.3)
    assert verdicts(sink, ADA) == [Verdict.SENT]


def test_extensions_are_offered_as_told(sink: ChaosSink) -> None:
    sink.behave(pipelining=False, chunking=False, size=60)
    with smtplib.SMTP(sink.host, sink.port) as client:
        client.ehlo()
        assert not client.has_extn("pipelining")
        assert not client.has_extn("chunking")
        assert client.esmtp_features["size"] == "60"
        assert client.docmd("BDAT 0 LAST")[0] == 502
    sink.behave()
    with smtplib.SMTP(sink.host, sink.port) as client:
        client.ehlo()
        assert client.has_extn("pipelining")
        assert client.has_extn("chunking")
        assert client.esmtp_features["size"] == "0"


def test_messages_that_are_too_big_are_refused_when_announced_and_when_they_came(sink: ChaosSink) -> None:
    sink.behave(size=60)
    big = b"DATA\r\n" + LETTER * 2 + b".\r\n"
    assert codes(sink, HELLO, b"MAIL FROM:<> BODY=8BITMIME SIZE=61\r\n", b"MAIL FROM:<> SIZE=60\r\n") == [
        *(250, 552, 250, 221)
    ]
    assert codes(sink, HELLO, TO_ADA, big, TO_ADA, b"BDAT 61 LAST\r\n" + b" " * 61) == [
        *(250, 250, 250, 354, 552, 250, 250, 552, 221)
    ]
    assert verdicts(sink, ADA) == [Verdict.SENT]
    assert len(sink.accepted()) == 1


def test_a_behaviour_is_in_force_on_open_connections_once_it_was_told(sink: ChaosSink) -> None:
    with transport(sink) as carrier:
        for _ in range(20):
            assert carrier.send(Envelope(FROM, ADA, LETTER)).verdict is Verdict.SENT
            sink.behave(refuse={f"{number}@example.org": NEVER for number in range(5000)} | {ADA: LATER})
            assert carrier.send(Envelope(FROM, ADA, LETTER)).verdict is Verdict.DEFERRED
            sink.behave()


def test_whatever_was_confirmed_is_in_the_log_of_a_killed_sink() -> None:
    class Killer(Letters):
        def leaving(self, slot: int, key: int) -> None:  # noqa: ARG002
            if key == 1000:
                victim.kill()

    letters = Killer(2000)
    with ChaosSink() as victim, transport(victim) as carrier:
        with pytest.raises(UnavailableError):
            carrier.run(letters)
        assert 900 < letters.verdicts[Verdict.SENT] <= 1000
        assert letters.confirmed() <= victim.counts().keys()
        assert set(victim.counts().values()) == {1}


def test_port_log_and_behaviour_outlive_a_kill() -> None:
    with ChaosSink() as sink:
        sink.behave(refuse={BOB: LATER})
        assert verdicts(sink, ADA, BOB) == [Verdict.SENT, Verdict.DEFERRED]
        with transport(sink) as carrier:
            carrier.connect()
            sink.kill()
            with pytest.raises(UnavailableError, match="refused"):
                carrier.send(Envelope(FROM, ADA, LETTER))
            assert sink.pid is None
            assert sink.counts() == {ADA: 1}
            sink.start()
            assert carrier.send(Envelope(FROM, ADA, LETTER)).verdict is Verdict.SENT
        assert verdicts(sink, BOB) == [Verdict.DEFERRED]
        sink.kill()
        sink.behave()
        sink.start()
        assert verdicts(sink, BOB) == [Verdict.SENT]
        assert sink.counts() == {ADA: 2, BOB: 1}
    assert not is_open(sink.port)


def test_half_a_line_of_a_killed_sink_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "accepted"
    Log(path).add(1, [ADA], LETTER)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:20])
    assert [message.recipients for message in read(path)] == [(ADA,)]
    Log(path).add(2, [BOB], LETTER)
    assert [message.recipients for message in read(path)] == [(ADA,), (BOB,)]


def test_the_sink_ends_with_a_test_run_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        assert is_open(port)
        parent.kill()
    give_up_at = time.monotonic() + 10
    while is_open(port):
        assert time.monotonic() < give_up_at
        time.sleep(0.01)


def test_a_sink_that_has_ended_by_itself_says_so() -> None:
    with pytest.raises(OSError, match="Cannot assign"), ChaosSink("192.0.2.1"):
        pass
    with ChaosSink() as sink:
        assert sink._process is not None
        sink._process.terminate()
        sink._process.wait()
        with pytest.raises(RuntimeError, match="has ended"):
            sink.behave()


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ({"drop": {"step": "lunch", "next": 1}}, "there is no step 'lunch'; the steps are greeting,"),
        ({"drop": {"next": 1}}, "there is no step None"),
        ({"drop": {"step": "in_data"}}, "either a fraction or the next"),
        ({"drop": {"step": "in_data", "next": 1, "fraction": 0.1}}, "either a fraction or the next"),
        ({"refuse_all": {"step": "after_dot", "reply": LATER}}, "there is no step 'after_dot'"),
        ({"refuse_all": {"step": "mail", "reply": "250 fine"}}, "'250 fine' is no refusal"),
        ({"refuse": {ADA: "no"}}, "'no' is no refusal"),
        ({"refuse_domain": {"example.org": "550\r\n250 ok"}}, "is no refusal"),
    ],
)
def test_a_behaviour_that_makes_no_sense_is_refused_in_words(
    sink: ChaosSink, behaviour: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        sink.behave(**behaviour)


def test_thousands_of_letters_a_second_cost_one_core(sink: ChaosSink) -> None:
    assert sink.pid is not None
    letters = Letters(3000, b"Subject: long\r\n\r\n" + (b"x" * 76 + b"\r\n") * 256)
    before = cpu_seconds(sink.pid)
    with transport(sink) as carrier:
        carrier.run(letters)
    assert letters.verdicts == {Verdict.SENT: 3000}
    assert cpu_seconds(sink.pid) - before < 1
