from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from newsletter.mail.growth import CROWDED_SECONDS, FEW, WEIGH_SECONDS, Growth
from newsletter.mail.outcome import Envelope, Verdict
from newsletter.mail.transport import SmtpTransport
from newsletter.smtp_url import SmtpAccount
from tests.servers.latency import Relay
from tests.servers.smtp import SmtpServer
from tests.unit.mail.bag import Bag

MESSAGES = 200


def letters() -> Iterator[Envelope]:
    return (Envelope("from@example.org", f"reader{key}@example.org", b"Hello.\r\n") for key in range(MESSAGES))


def is_due(connections: int, waited: float, answers: int) -> bool:
    """After a tenth of a second of which a part was waited for so many answers."""
    growth = Growth(200)
    growth.is_due(1, 1000.0)
    growth.note(waited, answers)
    return growth.is_due(connections, 1000.1)


def test_waiting_for_a_far_server_asks_for_more_connections() -> None:
    assert is_due(connections=10, waited=0.09, answers=50)


def test_a_near_server_gets_a_few_connections_and_no_more() -> None:
    assert is_due(connections=FEW - 1, waited=0.05, answers=1000)
    assert not is_due(connections=FEW, waited=0.05, answers=1000)


def test_a_thread_with_enough_to_do_needs_no_more_connections() -> None:
    assert not is_due(connections=1, waited=0.01, answers=20)
    assert not is_due(connections=50, waited=0.01, answers=1000)


def test_waiting_is_weighed_over_a_while() -> None:
    growth = Growth(200)
    growth.is_due(1, 1000)
    growth.note(WEIGH_SECONDS, 0)
    assert not growth.is_due(1, 1000 + WEIGH_SECONDS / 2)
    assert growth.is_due(1, 1000 + WEIGH_SECONDS * 2)
    assert not growth.is_due(1, 1000 + WEIGH_SECONDS * 4)


def test_a_crowded_server_is_asked_again_after_a_while() -> None:
    growth = Growth(24)
    growth.refused(3, 1000.0)
    assert growth.is_possible(2, 1000.0)
    assert not growth.is_possible(3, 1000.0 + CROWDED_SECONDS - 1)
    assert growth.is_possible(3, 1000.0 + CROWDED_SECONDS)
    assert not growth.is_possible(24, 1000.0 + CROWDED_SECONDS)


@pytest.mark.parametrize("most", [1, 6])
def test_there_are_never_more_connections_than_allowed(most: int) -> None:
    bag = Bag(letters())
    with SmtpServer(seconds=0.01) as smtp:
        with SmtpTransport(SmtpAccount(smtp.host, smtp.port), 10, connections=most) as transport:
            transport.run(bag)
        assert smtp.connections == most
    assert bag.verdicts == {Verdict.SENT: MESSAGES}
    assert bag.slots == set(range(most))


@pytest.mark.parametrize(
    "farewell",
    [
        ("421 4.7.0 too many",),
        ("554 go away",),
        ("220 hello", "250 here", "421 4.7.0 too many"),
        (),
    ],
)
def test_a_server_that_grants_no_more_connections_is_served_by_those_it_has(farewell: Sequence[str]) -> None:
    bag = Bag(letters())
    with SmtpServer(seconds=0.01, welcome=2, farewell=farewell) as smtp:
        began = time.monotonic()
        with SmtpTransport(SmtpAccount(smtp.host, smtp.port), 30) as transport:
            transport.run(bag)
        assert time.monotonic() - began < 20
        assert smtp.connections == 3
        arrived = Counter(recipient for _, recipients, _ in smtp.messages for recipient in recipients)
    assert bag.verdicts == {Verdict.SENT: MESSAGES}
    assert set(arrived.values()) == {1}


def test_distance_is_hidden_by_more_connections() -> None:
    bag = Bag(letters())
    with (
        SmtpServer() as smtp,
        Relay(smtp.port, 0.02) as relay,
        SmtpTransport(SmtpAccount("127.0.0.1", relay.port), 10) as transport,
    ):
        began = time.monotonic()
        transport.run(bag)
        # One after the other they would take 40 ms each.
        assert time.monotonic() - began < MESSAGES * 0.04
    assert bag.verdicts == {Verdict.SENT: MESSAGES}
