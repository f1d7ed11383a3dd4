from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from newsletter.db import Database
from newsletter.errors import ConflictError, NotFoundError
from newsletter.models import Batch, Delivery, DeliveryState, Mailing, MailingStatus
from newsletter.sending import control
from newsletter.sending.receipt import make_receipt
from newsletter.sending.sweep import due_mailings
from tests.factories import EMAILS, NOW, make_mailing
from tests.servers.smtp import DROP, SmtpServer
from tests.unit.sending.conftest import Post


def mailing(database: Database, mailing_id: int) -> Mailing:
    with database.read() as session:
        return session.get_one(Mailing, mailing_id)


def test_a_mailing_paused_before_its_time_does_not_begin_until_it_is_resumed(database: Database) -> None:
    mailing_id = make_mailing(database, planned=False)
    with database.write() as session:
        control.pause(session, mailing_id)
        assert due_mailings(session, NOW) == []
        control.resume(session, mailing_id)
        assert due_mailings(session, NOW) == [mailing_id]


def test_cancelling_turns_whoever_has_no_message_yet_into_cancelled_and_the_receipt_adds_up(
    post: Post, smtp: SmtpServer
) -> None:
    smtp.refuse[EMAILS[2]] = "451 4.3.0 later"
    mailing_id = make_mailing(post.database)
    post.turn()
    with post.database.write() as session:
        control.cancel(session, mailing_id, post.now)
    post.turn()
    assert list(post.states(mailing_id).values()) == [
        DeliveryState.SENT,
        DeliveryState.SENT,
        DeliveryState.CANCELLED,
    ]
    with post.database.read() as session:
        receipt = make_receipt(session, mailing_id)
    assert receipt.adds_up
    assert receipt.is_closed
    assert receipt.status is MailingStatus.CANCELLED


def test_cancelling_works_while_no_worker_runs(database: Database) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session:
        control.cancel(session, mailing_id, NOW)
    with database.write() as session:
        assert control.cancel_batch(session, mailing_id, NOW)
    with database.write() as session:
        assert not control.cancel_batch(session, mailing_id, NOW)
        assert set(session.scalars(select(Delivery.state))) == {DeliveryState.CANCELLED}
    assert mailing(database, mailing_id).finished_at == NOW


def test_a_mailing_cancelled_before_its_time_is_over_at_once(database: Database) -> None:
    mailing_id = make_mailing(database, planned=False)
    with database.write() as session:
        control.cancel(session, mailing_id, NOW)
    assert mailing(database, mailing_id).finished_at == NOW


def test_only_the_rejected_are_tried_again(post: Post, smtp: SmtpServer) -> None:
    smtp.refuse[EMAILS[1]] = "550 5.7.1 blocked"
    mailing_id = make_mailing(post.database)
    post.turn()
    assert mailing(post.database, mailing_id).status is MailingStatus.SENT
    smtp.refuse.clear()
    with post.database.write() as session:
        assert control.retry(session, mailing_id, post.now) == 1
    post.turn()
    assert sorted(recipients for _, recipients, _ in smtp.messages) == [[email] for email in EMAILS]
    found = mailing(post.database, mailing_id)
    assert (found.status, found.outcomes_digest is not None) == (MailingStatus.SENT, True)


def test_an_uncertain_recipient_is_sent_to_again_only_when_named(post: Post, smtp: SmtpServer) -> None:
    smtp.refuse_data[EMAILS[0]] = DROP
    smtp.refuse_data[EMAILS[1]] = DROP
    mailing_id = make_mailing(post.database)
    post.turn()
    smtp.refuse_data.clear()
    with post.database.write() as session:
        assert control.resend(session, mailing_id, [EMAILS[0]], post.now) == 1
    post.turn()
    assert list(post.states(mailing_id).values()) == [
        DeliveryState.SENT,
        DeliveryState.UNCERTAIN,
        DeliveryState.SENT,
    ]


def test_whoever_is_not_uncertain_cannot_be_sent_to_again(post: Post) -> None:
    mailing_id = make_mailing(post.database)
    post.turn()
    with (
        pytest.raises(NotFoundError, match="ada@example\\.org: not among the uncertain"),
        post.database.write() as session,
    ):
        control.resend(session, mailing_id, [EMAILS[0]], post.now)


def test_there_must_be_something_to_try_again(post: Post) -> None:
    mailing_id = make_mailing(post.database)
    post.turn()
    with pytest.raises(ConflictError, match="has no rejected recipients"), post.database.write() as session:
        control.retry(session, mailing_id, post.now)


@pytest.mark.parametrize("status", list(MailingStatus))
def test_what_makes_no_sense_in_a_status_is_refused_by_its_name(database: Database, status: MailingStatus) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session:
        session.execute(update(Mailing).values(status=status))
    possible: dict[MailingStatus, set[str]] = {
        MailingStatus.SCHEDULED: {"pause", "cancel"},
        MailingStatus.SENDING: {"pause", "cancel"},
        MailingStatus.PAUSED: {"resume", "cancel"},
        MailingStatus.SENT: set(),
        MailingStatus.CANCELLED: set(),
    }
    verbs: dict[str, Callable[[Session], object]] = {
        "pause": lambda session: control.pause(session, mailing_id),
        "resume": lambda session: control.resume(session, mailing_id),
        "cancel": lambda session: control.cancel(session, mailing_id, NOW),
    }
    for verb in verbs.keys() - possible[status]:
        words = f"is {status.value}: there is nothing to {verb}"
        with pytest.raises(ConflictError, match=words), database.write() as session:
            verbs[verb](session)


def test_an_unknown_mailing_is_named(database: Database) -> None:
    with pytest.raises(NotFoundError, match="there is no mailing 99"), database.write() as session:
        control.pause(session, 99)


def test_a_recipient_reopened_while_a_worker_has_the_batch_is_sent_to_after_all(post: Post, smtp: SmtpServer) -> None:
    smtp.refuse[EMAILS[0]] = "550 5.7.1 blocked"
    smtp.refuse[EMAILS[1]] = "451 4.3.0 later"
    mailing_id = make_mailing(post.database)
    post.turn()
    smtp.refuse.clear()
    with post.database.write() as session:
        control.retry(session, mailing_id, post.now)
        assert session.scalar(select(func.min(Batch.due_at))) == post.now
    post.now += timedelta(minutes=2)
    post.turn()
    assert set(post.states(mailing_id).values()) == {DeliveryState.SENT}
