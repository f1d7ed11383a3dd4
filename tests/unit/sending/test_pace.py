from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from newsletter.db import Database
from newsletter.models import DayCount, DeliveryState, Mailing, MailingStatus
from newsletter.models import Pace as PaceRow
from newsletter.sending.obstacles import obstacles
from newsletter.sending.pace import close
from newsletter.smtp_accounts import Account, Pace
from tests.factories import make_mailing
from tests.servers.chaos_sink import ChaosSink
from tests.unit.sending.conftest import Post, make_account

READERS = [f"reader{number}@{domain}" for number in range(30) for domain in ("big.example", "small.example")]


@pytest.fixture
def sink() -> Iterator[ChaosSink]:
    with ChaosSink() as running:
        yield running


@pytest.fixture
def posts() -> Iterator[list[Post]]:
    made: list[Post] = []
    yield made
    for post in made:
        post.close()


def work(posts: list[Post], database: Database, *accounts: Account) -> Post:
    posts.append(Post(database, list(accounts)))
    return posts[-1]


def domains(sink: ChaosSink) -> Counter[str]:
    return Counter(address.partition("@")[2] for address in sink.counts().elements())


def test_an_account_sends_no_faster_than_its_pace_and_loses_nobody(
    database: Database, sink: ChaosSink, posts: list[Post]
) -> None:
    post = work(posts, database, make_account(sink, pace=Pace(messages_a_second=10)))
    mailing_id = make_mailing(database, READERS)
    counts = []
    for _ in range(5):
        post.turn()
        counts.append(len(sink.accepted()))
        post.now += timedelta(seconds=1)
    # Two seconds' worth are in the bucket at first.
    assert counts == [20, 30, 40, 50, 60]
    assert set(post.states(mailing_id).values()) == {DeliveryState.SENT}


def test_a_pace_holds_across_workers_and_restarts(database: Database, sink: ChaosSink, posts: list[Post]) -> None:
    account = make_account(sink, pace=Pace(messages_a_second=10))
    make_mailing(database, READERS)
    for _ in range(3):
        work(posts, database, account).turn()
    assert len(sink.accepted()) == 20


def test_a_recipients_domain_has_a_pace_of_its_own_and_the_others_go_on(
    database: Database, sink: ChaosSink, posts: list[Post]
) -> None:
    post = work(posts, database, make_account(sink, pace=Pace(domains={"big.example": 5.0})))
    mailing_id = make_mailing(database, READERS)
    post.turn()
    assert domains(sink) == {"big.example": 10, "small.example": 30}
    for _ in range(4):
        post.now += timedelta(seconds=1)
        post.turn()
    assert domains(sink) == {"big.example": 30, "small.example": 30}
    assert set(post.states(mailing_id).values()) == {DeliveryState.SENT}


def test_the_pace_of_a_domain_beyond_ascii_holds_and_so_does_its_wish_for_quiet(
    database: Database, sink: ChaosSink, posts: list[Post]
) -> None:
    post = work(posts, database, make_account(sink, pace=Pace(domains={"xn--mnchen-3ya.example": 1.0})))
    mailing_id = make_mailing(database, [f"leser{number}@münchen.example" for number in range(20)])
    post.turn()
    assert domains(sink) == {"xn--mnchen-3ya.example": 2}
    with database.read() as session:
        waits = obstacles(session, post.accounts, mailing_id, post.now)
    assert waits == ["the pace that the settings allow for münchen.example"]
    sink.behave(refuse_domain={"xn--mnchen-3ya.example": "421 4.7.28 too much mail"})
    post.now += timedelta(seconds=1)
    post.turn()
    assert closed(database, post) == {"xn--mnchen-3ya.example": (1, 15)}
    with database.read() as session:
        waits = obstacles(session, post.accounts, mailing_id, post.now)
    assert waits[0].startswith("münchen.example, which is left alone until 2026-03-13 07:00:16 UTC: 421 4.7.28")


def test_a_warm_up_sends_so_many_a_day_and_goes_on_the_next_day(
    database: Database, sink: ChaosSink, posts: list[Post]
) -> None:
    post = work(posts, database, make_account(sink, pace=Pace(messages_a_day=(10, 25))))
    make_mailing(database, READERS)
    counts = []
    for _ in range(4):
        post.turn()
        post.turn()
        counts.append(len(sink.accepted()))
        post.now += timedelta(days=1)
    assert counts == [10, 35, 60, 60]
    with database.read() as session:
        assert list(session.scalars(select(DayCount.messages).order_by(DayCount.day))) == [10, 25, 25]


def test_a_clock_that_is_set_back_stops_nothing_and_gives_one_bucket_at_most(
    database: Database, sink: ChaosSink, posts: list[Post]
) -> None:
    post = work(posts, database, make_account(sink, pace=Pace(messages_a_second=10)))
    make_mailing(database, READERS)
    post.now += timedelta(hours=1)
    post.turn()
    post.now -= timedelta(hours=1)
    post.turn()
    post.turn()
    assert len(sink.accepted()) == 40
    post.now += timedelta(seconds=1)
    post.turn()
    assert len(sink.accepted()) == 50


def test_a_clock_that_wavers_gives_nothing(database: Database, sink: ChaosSink, posts: list[Post]) -> None:
    post = work(posts, database, make_account(sink, pace=Pace(messages_a_second=10)))
    make_mailing(database, READERS)
    post.turn()
    for seconds in (-1, 1, -1, 1):
        post.now += timedelta(seconds=seconds)
        post.turn()
    assert len(sink.accepted()) == 20


def test_a_clock_that_is_set_back_does_not_leave_a_server_alone_for_longer(
    database: Database, sink: ChaosSink, posts: list[Post]
) -> None:
    post = work(posts, database, make_account(sink))
    make_mailing(database, READERS)
    sink.kill()
    post.now += timedelta(hours=2)
    post.turn()
    sink.start()
    post.now -= timedelta(hours=2)
    post.turn()
    assert len(sink.accepted()) == len(READERS)


@pytest.mark.parametrize("reply", ["421 4.7.28 too much mail", "451 4.7.500 server busy"])
def test_a_domain_that_asks_for_quiet_is_left_alone_for_longer_each_time_while_the_others_go_on(
    database: Database, sink: ChaosSink, posts: list[Post], reply: str
) -> None:
    post = work(posts, database, make_account(sink))
    mailing_id = make_mailing(database, READERS)
    sink.behave(refuse_domain={"big.example": reply})
    post.turn()
    assert domains(sink)["small.example"] == 30
    assert closed(database, post) == {"big.example": (1, 15)}
    post.now += timedelta(seconds=16)
    post.turn()
    assert closed(database, post) == {"big.example": (2, 30)}
    sink.behave()
    for _ in range(3):
        post.now += timedelta(minutes=3)
        post.turn()
    assert set(post.states(mailing_id).values()) == {DeliveryState.SENT}
    assert max(sink.counts().values()) == 1
    assert closed(database, post) == {}


def closed(database: Database, post: Post) -> dict[str, tuple[int, float]]:
    """The domains that are left alone, with how often in a row and, this time, for how many seconds."""
    with database.read() as session:
        rows = session.scalars(select(PaceRow).where(PaceRow.closures > 0)).all()
    return {
        row.domain: (row.closures, round((row.closed_until - post.now).total_seconds()))
        for row in rows
        if row.closed_until
    }


def test_of_two_accounts_the_heavier_one_sends_and_the_other_takes_over_when_it_is_away(
    database: Database, sink: ChaosSink, posts: list[Post]
) -> None:
    with ChaosSink() as other:
        post = work(posts, database, make_account(sink, "main", None, 1), make_account(other, "spare", None, 0))
        make_mailing(database, READERS[:10], slug="one")
        post.turn()
        assert (len(sink.accepted()), len(other.accepted())) == (10, 0)
        sink.kill()
        second = make_mailing(database, READERS[:10], slug="two")
        post.turn()
        assert len(other.accepted()) == 10
        with database.read() as session:
            assert session.get_one(Mailing, second).status is MailingStatus.SENT


def test_mail_goes_over_the_account_that_is_for_its_from_domain(
    database: Database, sink: ChaosSink, posts: list[Post]
) -> None:
    with ChaosSink() as other:
        accounts = make_account(sink, "main"), make_account(other, "own", None, 1, "hebdo-vendredi.example")
        post = work(posts, database, *accounts)
        make_mailing(database, READERS[:10], slug="vendredi")
        make_mailing(database, READERS[:10], slug="samedi")
        post.turn()
        assert (len(sink.accepted()), len(other.accepted())) == (10, 10)


def test_a_mailing_that_no_account_is_for_waits(database: Database, sink: ChaosSink, posts: list[Post]) -> None:
    post = work(posts, database, make_account(sink, "own", None, 1, "another.example"))
    mailing_id = make_mailing(database, READERS[:2])
    post.turn()
    assert set(post.states(mailing_id).values()) == {DeliveryState.PENDING}


def test_whoever_waits_for_the_account_alone_does_not_wait_for_a_closed_domain_too(
    database: Database, sink: ChaosSink, posts: list[Post]
) -> None:
    account = make_account(sink, pace=Pace(messages_a_second=10))
    post = work(posts, database, account)
    make_mailing(database, READERS)
    with database.write() as session:
        close(session, account, "big.example", "asked for quiet", post.now)
    counts = []
    for _ in range(3):
        post.turn()
        counts.append(len(sink.accepted()))
        post.now += timedelta(seconds=1)
    assert counts == [20, 30, 30]
    assert set(domains(sink)) == {"small.example"}
