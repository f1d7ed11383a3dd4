from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from newsletter.db import Database
from newsletter.errors import UnavailableError
from newsletter.models import Delivery, DeliveryState, Mailing, MailingStatus
from newsletter.sending import carrier, control, deliver
from newsletter.sending.breaker import DEFERRED_IN_A_ROW, REFUSED_IN_A_ROW
from newsletter.sending.receipt import make_receipt
from tests.factories import EMAILS, make_mailing
from tests.servers.chaos_sink import ChaosSink
from tests.servers.smtp import DROP, SmtpServer
from tests.unit.sending.conftest import Post, make_account


@pytest.fixture
def sink() -> Iterator[ChaosSink]:
    with ChaosSink() as running:
        yield running


MANY = [f"reader{number}@example.org" for number in range(60)]


def status_of(post: Post, mailing_id: int) -> tuple[MailingStatus, str | None]:
    with post.database.read() as session:
        mailing = session.get_one(Mailing, mailing_id)
        return mailing.status, mailing.pause_reason


def test_every_recipient_gets_one_message_and_the_mailing_closes(post: Post, smtp: SmtpServer) -> None:
    mailing_id = make_mailing(post.database)
    post.turn()
    assert set(post.states(mailing_id).values()) == {DeliveryState.SENT}
    assert sorted(recipients for _, recipients, _ in smtp.messages) == [[email] for email in EMAILS]
    with post.database.read() as session:
        receipt = make_receipt(session, mailing_id)
    assert receipt.adds_up
    assert receipt.is_closed


def test_one_refused_recipient_does_not_hold_up_the_others(post: Post, smtp: SmtpServer) -> None:
    smtp.refuse[EMAILS[0]] = "550 5.1.1 no such user"
    smtp.refuse[EMAILS[1]] = "451 4.3.0 try later"
    mailing_id = make_mailing(post.database)
    post.turn()
    assert list(post.states(mailing_id).values()) == [
        DeliveryState.REJECTED,
        DeliveryState.DEFERRED,
        DeliveryState.SENT,
    ]
    with post.database.read() as session:
        rows = session.execute(select(Delivery.reply, Delivery.refusal).order_by(Delivery.id)).all()
    assert rows[0] == ("550 5.1.1 no such user", "address")
    assert rows[1] == ("451 4.3.0 try later", None)
    assert status_of(post, mailing_id)[0] is MailingStatus.SENDING


def test_a_deferred_recipient_is_sent_to_once_its_time_has_come(post: Post, smtp: SmtpServer) -> None:
    smtp.refuse[EMAILS[1]] = "451 4.3.0 try later"
    mailing_id = make_mailing(post.database)
    post.turn()
    smtp.refuse.clear()
    post.now += timedelta(seconds=59)
    post.turn()
    assert len(smtp.messages) == 2
    post.now += timedelta(seconds=1)
    post.turn()
    assert status_of(post, mailing_id)[0] is MailingStatus.SENT
    assert sorted(recipients for _, recipients, _ in smtp.messages) == [[email] for email in EMAILS]


def test_a_connection_lost_before_the_reply_leaves_that_one_uncertain_and_sends_the_rest(
    post: Post, smtp: SmtpServer
) -> None:
    smtp.refuse_data[EMAILS[1]] = DROP
    mailing_id = make_mailing(post.database)
    post.turn()
    assert list(post.states(mailing_id).values()) == [
        DeliveryState.SENT,
        DeliveryState.UNCERTAIN,
        DeliveryState.SENT,
    ]


def test_a_server_that_is_away_costs_nobody_an_attempt_and_the_mailing_goes_on_once_it_is_back(
    database: Database, sink: ChaosSink
) -> None:
    post = Post(database, [make_account(sink)])
    mailing_id = make_mailing(database)
    sink.kill()
    post.turn()
    with post.database.read() as session:
        rows = session.execute(select(Delivery.state, Delivery.attempts)).all()
    assert set(rows) == {(DeliveryState.PENDING, 0)}
    sink.start()
    post.turn()
    assert sink.accepted() == []
    post.now += timedelta(seconds=15)
    post.turn()
    assert status_of(post, mailing_id)[0] is MailingStatus.SENT
    post.close()


def test_a_pause_lets_nothing_more_leave_and_resuming_goes_on_where_it_stood(
    post: Post, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "LOOK_SECONDS", 0.0)
    mailing_id = make_mailing(post.database, MANY)

    def pause_soon() -> None:
        if len(smtp.messages) >= 5:
            with post.database.write() as session:
                session.execute(update(Mailing).values(status=MailingStatus.PAUSED))

    post.before_each = pause_soon
    post.turn()
    assert status_of(post, mailing_id)[0] is MailingStatus.PAUSED
    with post.database.write() as session:
        control.resume(session, mailing_id)
    post.before_each = lambda: None
    post.turn()
    assert status_of(post, mailing_id)[0] is MailingStatus.SENT
    assert sorted(recipient for _, recipients, _ in smtp.messages for recipient in recipients) == sorted(MANY)


def test_a_server_that_refuses_everything_pauses_the_mailing_with_its_words_and_spends_nobody(
    post: Post, smtp: SmtpServer
) -> None:
    smtp.refuse = dict.fromkeys(MANY, "554 5.7.1 Service unavailable; client host blocked")
    mailing_id = make_mailing(post.database, MANY)
    post.turn()
    status, reason = status_of(post, mailing_id)
    assert status is MailingStatus.PAUSED
    assert reason is not None
    assert "554 5.7.1 Service unavailable; client host blocked" in reason
    states = list(post.states(mailing_id).values())
    assert states.count(DeliveryState.PENDING) >= len(MANY) - REFUSED_IN_A_ROW
    smtp.refuse.clear()
    with post.database.write() as session:
        control.resume(session, mailing_id)
    post.turn()
    assert status_of(post, mailing_id)[0] is MailingStatus.SENT
    assert len(smtp.messages) >= len(MANY) - REFUSED_IN_A_ROW


def test_a_server_that_says_later_to_everyone_is_left_alone_for_a_while(post: Post, smtp: SmtpServer) -> None:
    smtp.refuse = dict.fromkeys(MANY, "451 4.3.0 later")
    mailing_id = make_mailing(post.database, MANY)
    post.turn()
    deferred = list(post.states(mailing_id).values()).count(DeliveryState.DEFERRED)
    assert DEFERRED_IN_A_ROW <= deferred < len(MANY)
    smtp.refuse.clear()
    post.now += timedelta(seconds=61)
    post.turn()
    assert status_of(post, mailing_id)[0] is MailingStatus.SENT
    assert len(smtp.messages) == len(MANY)


def test_a_worker_asked_to_end_brings_its_messages_to_their_end_and_gives_back_the_rest(
    post: Post, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "LOOK_SECONDS", 0.0)
    mailing_id = make_mailing(post.database, MANY)

    def stop_soon() -> None:
        post.is_stopping = len(smtp.messages) >= 5

    post.before_each = stop_soon
    post.turn()
    states = list(post.states(mailing_id).values())
    assert set(states) <= {DeliveryState.SENT, DeliveryState.PENDING}
    assert states.count(DeliveryState.SENT) == len(smtp.messages)


def test_a_database_that_goes_away_mid_turn_is_told_everything_once_it_is_back(
    database: Database, post: Post, smtp: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing_id = make_mailing(database)
    write = Database.write

    def away(_: Database) -> None:
        raise UnavailableError("gone")

    post.before_each = lambda: monkeypatch.setattr(Database, "write", away)
    with pytest.raises(UnavailableError):
        post.turn()
    monkeypatch.setattr(Database, "write", write)
    post.before_each = lambda: None
    post.turn()
    assert set(post.states(mailing_id).values()) == {DeliveryState.SENT}
    assert len(smtp.messages) == len(EMAILS)


@pytest.mark.parametrize("is_stopping", [False, True])
def test_a_worker_settles_up_once_the_database_is_back_or_leaves_it_to_its_journal_when_asked_to_end(
    database: Database, post: Post, monkeypatch: pytest.MonkeyPatch, *, is_stopping: bool
) -> None:
    mailing_id = make_mailing(database)
    write = Database.write

    def away(_: Database) -> None:
        raise UnavailableError("gone")

    def next_thing(_: float) -> None:
        if is_stopping:
            post.is_stopping = True
        else:
            monkeypatch.setattr(Database, "write", write)

    post.before_each = lambda: monkeypatch.setattr(Database, "write", away)
    with pytest.raises(UnavailableError):
        post.turn()
    monkeypatch.setattr("newsletter.sending.deliver.time.sleep", next_thing)
    deliver.settle_up(post.desk)
    assert set(post.states(mailing_id).values()) == {DeliveryState.CLAIMED if is_stopping else DeliveryState.SENT}
    assert len(post.journal.testimony().outcomes) == (len(EMAILS) if is_stopping else 0)
