from __future__ import annotations

import time
from collections import Counter

import pytest

from newsletter.mail.courier import Parcel
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.transport import CONNECTIONS, SmtpTransport
from newsletter.smtp_url import SmtpAccount
from tests.servers.smtp import DROP, SmtpServer

MESSAGES = 60
DATA = b"Subject: hello\r\n\r\n" + b"A line of text.\r\n" * 200


class Bag:
    """A courier with messages to readers 0, 1, 2 … and a book of what it heard."""

    def __init__(self, count: int = MESSAGES) -> None:
        self.parcels = [Parcel(key, Envelope("from@example.org", address(key), DATA)) for key in range(count)]
        self.left: list[int] = []
        self.outcomes: dict[int, Outcome] = {}

    def next_parcel(self) -> Parcel | None:
        return self.parcels.pop(0) if self.parcels else None

    def leaving(self, slot: int, key: int) -> None:
        assert 0 <= slot < CONNECTIONS
        self.left.append(key)

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:
        assert 0 <= slot < CONNECTIONS
        assert key not in self.outcomes
        self.outcomes[key] = outcome

    @property
    def verdicts(self) -> Counter[Verdict]:
        return Counter(outcome.verdict for outcome in self.outcomes.values())


def address(key: int) -> str:
    return f"reader{key}@example.org"


def received(smtp: SmtpServer) -> Counter[str]:
    return Counter(recipient for _, recipients, _ in smtp.messages for recipient in recipients)


def transport_to(smtp: SmtpServer) -> SmtpTransport:
    return SmtpTransport(SmtpAccount(smtp.host, smtp.port), timeout_seconds=10)


@pytest.mark.parametrize("pipelining", [True, False])
def test_many_messages_go_over_several_connections_each_once(pipelining: bool) -> None:
    bag = Bag()
    with SmtpServer(pipelining=pipelining) as smtp, transport_to(smtp) as transport:
        transport.run(bag)
        assert received(smtp) == Counter(address(key) for key in range(MESSAGES))
        assert 1 < smtp.connections <= CONNECTIONS
        assert all(raw == DATA for _, _, raw in smtp.messages)
    assert bag.verdicts == {Verdict.SENT: MESSAGES}
    assert sorted(bag.left) == list(range(MESSAGES))


@pytest.mark.parametrize("pipelining", [True, False])
def test_a_server_that_hangs_up_after_every_few_messages_loses_nobody_in_silence(pipelining: bool) -> None:
    bag = Bag()
    with SmtpServer(drop_after=3, pipelining=pipelining) as smtp, transport_to(smtp) as transport:
        transport.run(bag)
        arrived = received(smtp)
    # It may hang up on data it has asked for: then nobody can know, and the message is not sent again.
    doubtful = {address(key) for key, outcome in bag.outcomes.items() if outcome.verdict is Verdict.UNCERTAIN}
    assert max(arrived.values()) == 1
    assert bag.verdicts[Verdict.SENT] + len(doubtful) == MESSAGES
    assert {address(key) for key in range(MESSAGES)} - arrived.keys() <= doubtful


@pytest.mark.parametrize("pipelining", [True, False])
def test_refusals_among_good_ones_are_matched_to_their_messages(pipelining: bool) -> None:
    bag = Bag()
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


def test_a_connection_lost_before_the_reply_leaves_one_message_in_doubt_and_no_other() -> None:
    bag = Bag()
    with SmtpServer() as smtp, transport_to(smtp) as transport:
        smtp.refuse_data = {address(7): DROP}
        transport.run(bag)
        assert max(received(smtp).values()) == 1
    assert bag.outcomes[7].verdict is Verdict.UNCERTAIN
    assert bag.verdicts == {Verdict.UNCERTAIN: 1, Verdict.SENT: MESSAGES - 1}


def test_connections_that_were_closed_while_idle_put_nobody_off() -> None:
    with SmtpServer(drop_after=1, pipelining=False) as smtp, transport_to(smtp) as transport:
        for _ in range(2):
            bag = Bag(CONNECTIONS)
            transport.run(bag)
            assert bag.verdicts == {Verdict.SENT: CONNECTIONS}
            time.sleep(0.1)
