from __future__ import annotations

from sqlalchemy import update

from newsletter.db import Database
from newsletter.models import DeliveryState, Mailing, MailingStatus
from newsletter.sending import control
from newsletter.sending.plan import plan
from tests.factories import NOW, make_mailing
from tests.servers.smtp import SmtpServer
from tests.unit.sending.conftest import Post

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
