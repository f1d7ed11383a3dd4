from __future__ import annotations

from datetime import datetime, timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select, update

from newsletter.audience.subscriptions import unsubscribe
from newsletter.audience.suppressions import suppress
from newsletter.db import Database
from newsletter.mail.outcome import Outcome, Verdict
from newsletter.models import Batch, Delivery, DeliveryState, Mailing, MailingStatus, SuppressionReason
from newsletter.sending import ledger
from newsletter.sending.ledger import Claim, Taken
from newsletter.sending.recover import recover
from newsletter.sending.settle import Settlement, retry_at
from newsletter.sending.settle import settle as write_outcomes
from newsletter.sending.sweep import LEASE
from tests.factories import EMAILS, PATIENCE, make_mailing

WORKER = "worker-1"


def take(database: Database, mailing_id: int, now: datetime, worker: str = WORKER) -> Taken | None:
    with database.write() as session:
        return ledger.take(session, mailing_id, worker, now)


def taken(database: Database, mailing_id: int, now: datetime) -> Taken:
    batch = take(database, mailing_id, now)
    assert batch is not None
    return batch


def claim(database: Database, batch: Taken, now: datetime, worker: str = WORKER) -> list[Claim]:
    with database.write() as session:
        return ledger.claim(session, batch, worker, now)


def settle(database: Database, claims: list[Claim], verdict: Verdict, now: datetime, worker: str = WORKER) -> None:
    with database.write() as session:
        outcome = Outcome(verdict, f"{verdict} said")
        settlements = [Settlement(one.delivery_id, one.attempts, one.deferred_since, outcome) for one in claims]
        write_outcomes(session, settlements, worker, now, PATIENCE)


def put_back(database: Database, batch: Taken, now: datetime, worker: str = WORKER) -> None:
    with database.write() as session:
        ledger.put_back(session, batch, worker, now)


def states(database: Database, mailing_id: int) -> dict[str, DeliveryState]:
    with database.read() as session:
        rows = session.execute(select(Delivery.email, Delivery.state).where(Delivery.mailing_id == mailing_id))
        return dict(rows.all())


def test_a_batch_delivered_twice_is_claimed_once(database: Database, now: datetime) -> None:
    batch = taken(database, make_mailing(database), now)
    assert [one.email for one in claim(database, batch, now)] == list(EMAILS)
    assert claim(database, batch, now, "worker-2") == []


def test_two_workers_at_the_same_moment_never_take_the_same_batch(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database)
    found: list[Taken | None] = []
    start = Barrier(4)

    def work(name: str) -> None:
        start.wait()
        found.append(take(database, mailing_id, now, name))

    threads = [Thread(target=work, args=(f"worker-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([batch for batch in found if batch]) == 1


def test_two_workers_at_the_same_moment_never_claim_the_same_delivery(database: Database, now: datetime) -> None:
    emails = [f"reader{number}@example.org" for number in range(60)]
    batch = taken(database, make_mailing(database, emails), now)
    claimed: list[list[Claim]] = []
    start = Barrier(4)

    def work(name: str) -> None:
        start.wait()
        claimed.append(claim(database, batch, now, name))

    threads = [Thread(target=work, args=(f"worker-{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.email for claims in claimed for one in claims) == sorted(emails)


def test_someone_who_unsubscribed_since_the_audience_was_frozen_is_not_claimed(
    database: Database, now: datetime
) -> None:
    mailing_id = make_mailing(database)
    batch = taken(database, mailing_id, now)
    with database.write() as session:
        list_id = session.get_one(Mailing, mailing_id).list_id
        leaver = session.scalars(select(Delivery).where(Delivery.email == EMAILS[1])).one()
        unsubscribe(session, list_id, leaver.subscriber_id, now)
    assert [one.email for one in claim(database, batch, now)] == [EMAILS[0], EMAILS[2]]
    assert states(database, mailing_id)[EMAILS[1]] is DeliveryState.SUPPRESSED


def test_a_suppressed_address_is_not_claimed(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session:
        suppress(session, EMAILS[0], SuppressionReason.COMPLAINED, "test", now)
    claims = claim(database, taken(database, mailing_id, now), now)
    assert [one.email for one in claims] == list(EMAILS[1:])
    assert states(database, mailing_id)[EMAILS[0]] is DeliveryState.SUPPRESSED


def test_someone_who_unsubscribes_while_deferred_is_not_tried_again(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database)
    batch = taken(database, mailing_id, now)
    settle(database, claim(database, batch, now), Verdict.DEFERRED, now)
    with database.write() as session:
        list_id = session.get_one(Mailing, mailing_id).list_id
        leaver = session.scalars(select(Delivery).where(Delivery.email == EMAILS[2])).one()
        unsubscribe(session, list_id, leaver.subscriber_id, now)
    later = now + timedelta(hours=1)
    assert [one.email for one in claim(database, batch, later)] == list(EMAILS[:2])
    assert states(database, mailing_id)[EMAILS[2]] is DeliveryState.SUPPRESSED


@pytest.mark.parametrize("status", [MailingStatus.PAUSED, MailingStatus.CANCELLED, MailingStatus.SCHEDULED])
def test_nothing_is_claimed_of_a_mailing_that_is_not_sending(
    database: Database, now: datetime, status: MailingStatus
) -> None:
    mailing_id = make_mailing(database)
    batch = taken(database, mailing_id, now)
    with database.write() as session:
        session.execute(update(Mailing).where(Mailing.id == mailing_id).values(status=status))
    assert claim(database, batch, now) == []


@pytest.mark.parametrize(
    ("verdict", "state"),
    [
        (Verdict.SENT, DeliveryState.SENT),
        (Verdict.REJECTED, DeliveryState.REJECTED),
        (Verdict.UNCERTAIN, DeliveryState.UNCERTAIN),
    ],
)
def test_an_outcome_stays_and_keeps_the_servers_words(
    database: Database, now: datetime, verdict: Verdict, state: DeliveryState
) -> None:
    mailing_id = make_mailing(database, EMAILS[:1])
    batch = taken(database, mailing_id, now)
    settle(database, claim(database, batch, now), verdict, now)
    assert claim(database, batch, now + timedelta(days=9)) == []
    with database.read() as session:
        delivery = session.scalars(select(Delivery).where(Delivery.mailing_id == mailing_id)).one()
    assert (delivery.state, delivery.reply, delivery.settled_at, delivery.attempts) == (
        state,
        f"{verdict} said",
        now,
        1,
    )


def test_a_deferred_delivery_is_due_again_when_its_time_comes_and_not_before(
    database: Database, now: datetime
) -> None:
    batch = taken(database, make_mailing(database, EMAILS[:1]), now)
    settle(database, claim(database, batch, now), Verdict.DEFERRED, now)
    assert claim(database, batch, now + timedelta(seconds=59)) == []
    (again,) = claim(database, batch, now + timedelta(seconds=60))
    assert again.attempts == 2


def test_delays_double_up_to_four_hours(now: datetime) -> None:
    minutes = [(retry_at(attempts, now) - now).total_seconds() / 60 for attempts in range(1, 11)]
    assert minutes == [1, 2, 4, 8, 16, 32, 64, 128, 240, 240]


def test_a_claim_whose_worker_is_gone_is_called_uncertain_and_never_sent_again(
    database: Database, now: datetime
) -> None:
    mailing_id = make_mailing(database, EMAILS[:2])
    claims = claim(database, taken(database, mailing_id, now), now)
    settle(database, claims[:1], Verdict.SENT, now)
    with database.write() as session:
        assert recover(session, [], LEASE, now + LEASE, PATIENCE) == 0
        assert recover(session, [], LEASE, now + LEASE + timedelta(seconds=1), PATIENCE) == 1
    assert states(database, mailing_id) == {EMAILS[0]: DeliveryState.SENT, EMAILS[1]: DeliveryState.UNCERTAIN}
    assert take(database, mailing_id, now + timedelta(days=1)) is None


def test_a_living_workers_claims_are_its_own_whatever_the_clock_says(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database)
    claim(database, taken(database, mailing_id, now), now)
    with database.write() as session:
        assert recover(session, [WORKER], LEASE, now + timedelta(days=365), PATIENCE) == 0
    assert set(states(database, mailing_id).values()) == {DeliveryState.CLAIMED}


def test_a_worker_cannot_settle_what_another_holds(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database, EMAILS[:1])
    claims = claim(database, taken(database, mailing_id, now), now)
    settle(database, claims, Verdict.SENT, now, worker="worker-2")
    assert states(database, mailing_id) == {EMAILS[0]: DeliveryState.CLAIMED}


def test_what_a_worker_gives_back_unsent_may_be_taken_at_once_and_was_no_attempt(
    database: Database, now: datetime
) -> None:
    mailing_id = make_mailing(database)
    batch = taken(database, mailing_id, now)
    claims = claim(database, batch, now)
    settle(database, claims[:1], Verdict.SENT, now)
    put_back(database, batch, now)
    again = claim(database, taken(database, mailing_id, now), now)
    assert [(one.email, one.attempts) for one in again] == [(email, 1) for email in EMAILS[1:]]


def test_a_worker_cannot_put_back_a_batch_that_is_no_longer_its_own(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database)
    batch = taken(database, mailing_id, now)
    put_back(database, batch, now, worker="worker-2")
    assert take(database, mailing_id, now) is None


def test_a_deferred_recipient_is_rejected_with_the_servers_words_once_it_is_too_old(
    database: Database, now: datetime
) -> None:
    mailing_id = make_mailing(database, EMAILS[:1])
    moment = now
    for hours in (0, 71, 72):
        moment = now + timedelta(hours=hours)
        batch = taken(database, mailing_id, moment)
        settle(database, claim(database, batch, moment), Verdict.DEFERRED, moment)
        put_back(database, batch, moment)
    with database.read() as session:
        delivery = session.scalars(select(Delivery)).one()
    assert (delivery.state, delivery.reply, delivery.attempts) == (DeliveryState.REJECTED, "deferred said", 3)
    assert take(database, mailing_id, now + timedelta(days=30)) is None


def test_a_batch_is_sealed_once_every_recipient_has_an_outcome(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database)
    batch = taken(database, mailing_id, now)
    settle(database, claim(database, batch, now), Verdict.SENT, now)
    put_back(database, batch, now)
    with database.read() as session:
        sealed = session.execute(select(Batch.due_at, Batch.digest, Batch.seals)).one()
    assert sealed.due_at is None
    assert len(sealed.digest or "") == 64
    assert len(sealed.seals or b"") == 8 * len(EMAILS)


def test_a_mailing_closes_only_when_nobody_is_left_open(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database, EMAILS[:2])
    batch = taken(database, mailing_id, now)
    claims = claim(database, batch, now)
    settle(database, claims[:1], Verdict.SENT, now)
    with database.write() as session:
        assert not ledger.close(session, mailing_id, now)
    settle(database, claims[1:], Verdict.REJECTED, now)
    put_back(database, batch, now)
    with database.write() as session:
        assert ledger.close(session, mailing_id, now)
        assert not ledger.close(session, mailing_id, now)
    with database.read() as session:
        mailing = session.get_one(Mailing, mailing_id)
    assert (mailing.status, mailing.finished_at) == (MailingStatus.SENT, now)
