from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator

import pytest

from newsletter.errors import UnavailableError
from newsletter.mail.courier import Parcel
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.transport import CONNECTIONS, SmtpTransport
from newsletter.smtp_url import SmtpAccount, parse_smtp_url
from tests.servers.chaos_sink import ChaosSink
from tests.servers.scripted import HELLO, TAKEN, scripted
from tests.servers.smtp import DROP, SmtpServer
from tests.unit.mail.bag import Bag

MESSAGES = 60
DATA = b"Subject: hello\r\n\r\n" + b"A line of text.\r\n" * 200
EVERYBODY = set(range(MESSAGES))


def address(key: int) -> str:
    return f"reader{key}@example.org"


def letters(count: int = MESSAGES) -> Iterator[Envelope]:
    return (Envelope("from@example.org", address(key), DATA) for key in range(count))


def received(smtp: SmtpServer) -> Counter[str]:
    return Counter(recipient for _, recipients, _ in smtp.messages for recipient in recipients)


def transport_to(smtp: SmtpServer) -> SmtpTransport:
    return SmtpTransport(SmtpAccount(smtp.host, smtp.port), timeout_seconds=10)


@pytest.fixture(scope="module")
def sink() -> Iterator[ChaosSink]:
    with ChaosSink() as sink:
        yield sink


@pytest.mark.parametrize("pipelining", [True, False])
def test_many_messages_go_over_several_connections_each_once(pipelining: bool) -> None:
    bag = Bag(letters())
    with SmtpServer(pipelining=pipelining, seconds=0.02) as smtp, transport_to(smtp) as transport:
        transport.run(bag)
        assert received(smtp) == Counter(address(key) for key in range(MESSAGES))
        assert 1 < smtp.connections <= CONNECTIONS
        assert all(raw == DATA for _, _, raw in smtp.messages)
    assert bag.verdicts == {Verdict.SENT: MESSAGES}
    assert set(bag.left) == EVERYBODY
    assert max(bag.slots) < smtp.connections


@pytest.mark.parametrize("chunking", [True, False])
@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("step", ["greeting", "before_mail", "after_rcpt", "in_data", "after_dot", "before_reply"])
def test_a_server_that_hangs_up_anywhere_loses_and_doubles_nobody_in_silence(
    sink: ChaosSink, step: str, pipelining: bool, chunking: bool
) -> None:
    before = sink.counts()
    sink.behave(drop={"step": step, "fraction": 0.2}, pipelining=pipelining, chunking=chunking)
    bag = Bag(letters(200))
    with SmtpTransport(parse_smtp_url(sink.url), 10) as transport:
        for _ in range(100):
            # Even a greeting may be missing: then nothing is under way, and there is another time.
            try:
                transport.run(bag)
            except UnavailableError:
                continue
            break
    arrived = sink.counts() - before
    verdicts = {address(key): outcome.verdict for key, outcome in bag.outcomes.items()}
    sent = {reader for reader, verdict in verdicts.items() if verdict is Verdict.SENT}
    doubtful = {reader for reader, verdict in verdicts.items() if verdict is Verdict.UNCERTAIN}
    assert max(arrived.values()) == 1
    assert sent <= arrived.keys() <= sent | doubtful
    assert bool(doubtful) is (step in {"in_data", "after_dot", "before_reply"} or (chunking and step == "after_rcpt"))


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_server_that_hangs_up_after_every_few_messages_puts_nobody_off(pipelining: bool) -> None:
    bag = Bag(letters())
    with SmtpServer(drop_after=3, pipelining=pipelining) as smtp, transport_to(smtp) as transport:
        transport.run(bag)
        arrived = received(smtp)
    # It may hang up on data it has asked for: then nobody can know, and the message is not sent again.
    doubtful = {address(key) for key, outcome in bag.outcomes.items() if outcome.verdict is Verdict.UNCERTAIN}
    assert max(arrived.values()) == 1
    assert bag.verdicts[Verdict.SENT] + len(doubtful) == MESSAGES
    assert {address(key) for key in range(MESSAGES)} - arrived.keys() <= doubtful


@pytest.mark.parametrize("chunking", [True, False])
@pytest.mark.parametrize("pipelining", [True, False])
def test_a_server_that_says_421_after_every_few_messages_puts_nobody_off(
    sink: ChaosSink, pipelining: bool, chunking: bool
) -> None:
    sink.behave(close_after=3, pipelining=pipelining, chunking=chunking)
    bag = Bag(letters())
    with SmtpTransport(parse_smtp_url(sink.url), 10) as transport:
        transport.run(bag)
    assert bag.verdicts == {Verdict.SENT: MESSAGES}


@pytest.mark.parametrize("pipelining", [True, False])
def test_refusals_among_good_ones_are_matched_to_their_messages(pipelining: bool) -> None:
    bag = Bag(letters())
    with SmtpServer(pipelining=pipelining) as smtp, transport_to(smtp) as transport:
        smtp.refuse = {address(key): f"550 5.1.1 no reader {key}" for key in range(0, MESSAGES, 3)}
        smtp.refuse_data = {address(key): f"452 4.3.1 no room for {key}" for key in range(1, MESSAGES, 3)}
        transport.run(bag)
    assert [bag.outcomes[key].reply for key in (0, 1, 3, 4)] == [
        "550 5.1.1 no reader 0",
        "452 4.3.1 no room for 1",
        "550 5.1.1 no reader 3",
        "452 4.3.1 no room for 4",
    ]
    assert bag.verdicts == {Verdict.REJECTED: 20, Verdict.DEFERRED: 20, Verdict.SENT: 20}


@pytest.mark.parametrize("pipelining", [True, False])
def test_refused_recipients_among_chunks_harm_no_other(sink: ChaosSink, pipelining: bool) -> None:
    refused = {address(key): f"550 5.1.1 no reader {key}" for key in range(0, MESSAGES, 3)}
    sink.behave(refuse=refused, pipelining=pipelining)
    bag = Bag(letters())
    with SmtpTransport(parse_smtp_url(sink.url), 10) as transport:
        transport.run(bag)
    assert {bag.outcomes[key].reply for key in range(0, MESSAGES, 3)} == set(refused.values())
    assert bag.verdicts == {Verdict.REJECTED: 20, Verdict.SENT: 40}


def test_a_connection_lost_before_the_reply_leaves_one_message_in_doubt_and_no_other() -> None:
    bag = Bag(letters())
    with SmtpServer() as smtp, transport_to(smtp) as transport:
        smtp.refuse_data = {address(7): DROP}
        transport.run(bag)
        assert max(received(smtp).values()) == 1
    assert bag.outcomes[7].verdict is Verdict.UNCERTAIN
    assert bag.verdicts == {Verdict.UNCERTAIN: 1, Verdict.SENT: MESSAGES - 1}


def test_connections_that_were_closed_while_idle_put_nobody_off() -> None:
    with SmtpServer(drop_after=1, pipelining=False, seconds=0.02) as smtp, transport_to(smtp) as transport:
        for _ in range(2):
            bag = Bag(letters(CONNECTIONS))
            transport.run(bag)
            assert bag.verdicts == {Verdict.SENT: CONNECTIONS}
            time.sleep(0.1)


def test_connections_are_kept_from_run_to_run() -> None:
    with SmtpServer() as smtp, SmtpTransport(SmtpAccount(smtp.host, smtp.port), connections=1) as transport:
        for count in (3, 0, 2):
            bag = Bag(letters(count))
            transport.run(bag)
            assert bag.verdicts.total() == count
        assert smtp.connections == 1


def test_a_server_that_goes_away_for_good_ends_the_run_with_nothing_under_way() -> None:
    with scripted((*HELLO, *TAKEN, b"250 ok\r\n", b"421 closing\r\n")) as port:
        bag = Bag(letters(3))
        transport = SmtpTransport(SmtpAccount("127.0.0.1", port), 0.5)
        with pytest.raises(UnavailableError):
            transport.run(bag)
    assert bag.outcomes == {0: Outcome(Verdict.SENT, "250 kept")}
    assert bag.left == [0]


def test_a_courier_that_takes_its_time_is_not_taken_for_a_silent_server() -> None:
    class Slow(Bag):
        def next_parcel(self) -> Parcel | None:
            time.sleep(0.4)
            return super().next_parcel()

    bag = Slow(letters(4))
    with SmtpServer() as smtp, SmtpTransport(SmtpAccount(smtp.host, smtp.port), 0.2) as transport:
        transport.run(bag)
    assert bag.verdicts == {Verdict.SENT: 4}


def test_a_courier_that_had_no_more_is_not_asked_again() -> None:
    class Once(Bag):
        has_ended = False

        def next_parcel(self) -> Parcel | None:
            assert not self.has_ended
            parcel = super().next_parcel()
            self.has_ended = parcel is None
            return parcel

    bag = Once(letters(20))
    with SmtpServer(seconds=0.01) as smtp, transport_to(smtp) as transport:
        transport.run(bag)
    assert bag.verdicts == {Verdict.SENT: 20}


def test_a_courier_in_trouble_leaves_the_transport_ready_for_the_next() -> None:
    class Broken(Bag):
        def settled(self, slot: int, key: int, outcome: Outcome) -> None:
            if key == 5:
                raise UnavailableError("the database does not answer")
            super().settled(slot, key, outcome)

    with SmtpServer() as smtp, transport_to(smtp) as transport:
        with pytest.raises(UnavailableError, match="database"):
            transport.run(Broken(letters()))
        bag = Bag(letters())
        transport.run(bag)
    assert bag.verdicts == {Verdict.SENT: MESSAGES}
