from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import update

from newsletter.db import Database
from newsletter.models import DeliveryState, Mailing, MailingStatus
from newsletter.sending import control, pace
from newsletter.sending.plan import plan
from newsletter.smtp_accounts import Account, Pace
from newsletter.smtp_url import SmtpAccount
from tests.factories import NOW, make_mailing
from tests.servers.smtp import SmtpServer
from tests.unit.sending.conftest import Post

ACCOUNT = Account("main", SmtpAccount("127.0.0.1", 25), frozenset(), 1, 8, Pace())
READERS = [f"reader{number}@example.org" for number in range(30)]


def with_canary(database: Database, canary: int = 10) -> int:
    mailing_id = make_mailing(database, READERS, planned=False)
    with database.write() as session:
        session.execute(update(Mailing).values(canary=canary))
        plan(session, mailing_id, NOW)
    return mailing_id


def test_the_rest_follows_a_canary_that_fared_well(post: Post, smtp: SmtpServer) -> None:
    mailing_id = with_canary(post.database)
    post.turn()
    assert len(smtp.messages) == 10
    post.turn()
    assert set(post.states(mailing_id).values()) == {DeliveryState.SENT}


def test_a_mailing_whose_canary_is_refused_pauses_with_the_servers_words_and_can_be_resumed(
    post: Post, smtp: SmtpServer
) -> None:
    smtp.refuse[READERS[0]] = "550 5.7.1 blocked"
    mailing_id = with_canary(post.database)
    post.turn()
    post.turn()
    with post.database.read() as session:
        mailing = session.get_one(Mailing, mailing_id)
    assert mailing.status is MailingStatus.PAUSED
    assert mailing.pause_reason == "of the first 10, 1 were refused: 550 5.7.1 blocked"
    assert len(smtp.messages) == 9
    with post.database.write() as session:
        control.resume(session, mailing_id)
    post.turn()
    assert len(smtp.messages) == 29


def test_a_canary_that_is_told_later_is_no_reason_to_stop(post: Post, smtp: SmtpServer) -> None:
    smtp.refuse[READERS[0]] = "451 4.3.0 later"
    with_canary(post.database)
    post.turn()
    post.turn()
    assert len(smtp.messages) == 29


def test_a_canary_larger_than_the_audience_is_the_whole_mailing(post: Post, smtp: SmtpServer) -> None:
    mailing_id = with_canary(post.database, 500)
    post.turn()
    assert set(post.states(mailing_id).values()) == {DeliveryState.SENT}
    assert len(smtp.messages) == 30


MIXED = [f"reader{number}@{domain}" for number in range(10) for domain in ("big.example", "small.example")]
BUSY = "421 4.7.28 too much mail"


def with_quiet(database: Database, domains: Sequence[str], canary: int = 10) -> int:
    """A mailing with a canary, while the only account leaves these domains alone."""
    mailing_id = make_mailing(database, MIXED, planned=False)
    with database.write() as session:
        for domain in domains:
            pace.close(session, ACCOUNT, domain, BUSY, NOW)
        session.execute(update(Mailing).values(canary=canary))
        plan(session, mailing_id, NOW)
    return mailing_id


def test_a_canary_does_not_wait_for_those_whose_server_asked_for_quiet(post: Post, smtp: SmtpServer) -> None:
    mailing_id = with_quiet(post.database, ["big.example"])
    post.turn()
    assert len(smtp.messages) == 5
    post.turn()
    assert len(smtp.messages) == 10
    post.now += timedelta(minutes=1)
    post.turn()
    assert set(post.states(mailing_id).values()) == {DeliveryState.SENT}


def test_a_canary_is_judged_by_those_who_could_go_and_says_how_many_more_wait(post: Post, smtp: SmtpServer) -> None:
    smtp.refuse["reader0@small.example"] = "550 5.7.1 blocked"
    mailing_id = with_quiet(post.database, ["big.example"])
    post.turn()
    with post.database.read() as session:
        mailing = session.get_one(Mailing, mailing_id)
    assert mailing.status is MailingStatus.PAUSED
    reason = "of the first 5, 1 were refused: 550 5.7.1 blocked (5 more wait for a server that asked for quiet)"
    assert mailing.pause_reason == reason


def test_a_canary_of_which_nobody_could_go_is_waited_for(post: Post, smtp: SmtpServer) -> None:
    mailing_id = with_quiet(post.database, ["big.example", "small.example"])
    post.turn()
    post.turn()
    with post.database.read() as session:
        assert session.get_one(Mailing, mailing_id).canary_judged_at is None
    post.now += timedelta(minutes=1)
    post.turn()
    assert len(smtp.messages) == 10
    post.turn()
    assert len(smtp.messages) == 20
