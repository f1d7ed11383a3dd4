"""How much of an event is kept, of whom, and by whom it is put in."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from datetime import timedelta
from multiprocessing import get_context
from random import Random

import pytest
from sqlalchemy import func, select, update

from newsletter.audience.erasure import forget
from newsletter.db import Database
from newsletter.models import (
    Batch,
    Delivery,
    DeliveryState,
    Event,
    EventKind,
    Mailing,
    MailingStatus,
    Publication,
    Rollup,
    Subscriber,
    Tracking,
    Verdict,
)
from newsletter.sending.prune import prune_batch
from newsletter.tracking.buffer import Noted
from newsletter.tracking.deliveries import find_recipient, record_unsubscribe
from newsletter.tracking.flush import MOST_OF_A_READER, flush
from newsletter.tracking.tokens import Target
from tests.factories import DIGEST, NOW, make_mailing
from tests.unit.tracking.log import flush_all, noted, send
from tests.unit.tracking.recount import recounted, rolled_up
from tests.unit.tracking.simulation import CHROME, Simulation

ADA, BLAISE = "ada@gmail.com", "blaise@maison.example"
BROWSER = CHROME.format(131)


@pytest.fixture
def mailing_id(database: Database) -> int:
    number = make_mailing(database, (ADA, BLAISE))
    with database.write() as session:
        session.execute(update(Delivery).values(state=DeliveryState.SENT, settled_at=NOW))
    return number


def choose(database: Database, tracking: Tracking) -> None:
    with database.write() as session:
        session.execute(update(Publication).values(tracking=tracking))


def deliveries(database: Database) -> dict[str, int]:
    with database.read() as session:
        return dict(session.execute(select(Delivery.email, Delivery.id)).all())


def one(mailing_id: int, delivery_id: int, number: int = 0, kind: EventKind = EventKind.OPEN) -> Noted:
    """Something an hour after delivery, each a minute after the one before."""
    at = int((NOW + timedelta(hours=1, minutes=number)).timestamp() * 1000)
    link = 1 if kind is EventKind.CLICK else None
    return Noted(f"{at}-{number}", kind, mailing_id, delivery_id, link, BROWSER, "81.240.1.2", "GET")


def put_in(database: Database, *events: Noted) -> int:
    with database.write() as session:
        return flush(session, events)


def kept(database: Database) -> list[Event]:
    with database.read() as session:
        return list(session.scalars(select(Event).order_by(Event.id)))


def test_without_a_choice_no_person_is_kept_and_readers_are_told_apart_all_the_same(
    database: Database, mailing_id: int
) -> None:
    ada, blaise = deliveries(database).values()
    assert put_in(database, one(mailing_id, ada), one(mailing_id, ada, 1), one(mailing_id, blaise, 2)) == 3
    first, second, third = kept(database)
    assert [(event.delivery_id, event.ip) for event in (first, second, third)] == [(None, None)] * 3
    assert first.reader == second.reader != third.reader
    assert len(first.reader) == len(third.reader) == 22
    assert (first.domain, third.domain) == ("gmail.com", "other")


def test_a_reader_of_two_mailings_is_another_in_each(database: Database) -> None:
    for slug in ("vendredi", "samedi"):
        mailing_id = make_mailing(database, [ADA], slug=slug)
        with database.read() as session:
            (delivery_id,) = session.scalars(select(Delivery.id).where(Delivery.mailing_id == mailing_id))
        put_in(database, one(mailing_id, delivery_id, mailing_id))
    first, second = kept(database)
    assert first.reader != second.reader


def test_whoever_may_be_known_is_kept_with_the_delivery(database: Database, mailing_id: int) -> None:
    choose(database, Tracking.INDIVIDUAL)
    ada = deliveries(database)[ADA]
    put_in(database, one(mailing_id, ada))
    (event,) = kept(database)
    assert (event.delivery_id, event.reader, event.ip, event.domain) == (ada, "", "81.240.1.2", "gmail.com")


@pytest.mark.parametrize("tracking", Tracking)
def test_unsubscribing_is_noted_once_and_as_much_of_it_as_its_reader_wishes(
    database: Database, mailing_id: int, tracking: Tracking
) -> None:
    choose(database, tracking)
    ada = deliveries(database)[ADA]
    with database.write() as session:
        recipient = find_recipient(session, Target(mailing_id, ada))
        assert recipient is not None
        for _ in range(2):
            record_unsubscribe(session, recipient, BROWSER, NOW)
    events = kept(database)
    assert len(events) == (tracking is not Tracking.OFF)
    for event in events:
        assert event.delivery_id == (ada if tracking is Tracking.INDIVIDUAL else None)
        assert event.source != f"unsubscribe:{ada}"
        assert event.verdict is Verdict.PERSON
    with database.read() as session:
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)


def test_once_readers_cannot_be_told_apart_what_comes_is_counted_without_one(
    database: Database, mailing_id: int
) -> None:
    ada, _ = deliveries(database).values()
    with database.write() as session:
        session.execute(update(Mailing).values(reader_salt=None))
        recipient = find_recipient(session, Target(mailing_id, ada))
        assert recipient is not None
        record_unsubscribe(session, recipient, BROWSER, NOW)
    put_in(database, one(mailing_id, ada), one(mailing_id, ada, 1))
    assert {(event.delivery_id, event.reader) for event in kept(database)} == {(None, "")}
    with database.read() as session:
        assert set(session.scalars(select(Rollup.readers))) == {0}
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)


def test_readers_of_a_pruned_mailing_are_kept_as_they_wish(database: Database, mailing_id: int) -> None:
    ada, blaise = deliveries(database).values()
    with database.write() as session:
        session.execute(update(Subscriber).where(Subscriber.email == BLAISE).values(tracking=Tracking.OFF))
        session.execute(update(Mailing).values(status=MailingStatus.SENT))
        session.execute(update(Batch).values(due_at=None, digest="0" * 64))
        assert prune_batch(session, mailing_id) == 2
    assert put_in(database, one(mailing_id, ada), one(mailing_id, blaise, 1), one(mailing_id, blaise + 99, 2)) == 1
    (event,) = kept(database)
    assert event.domain == "gmail.com"


@pytest.mark.parametrize("tracking", [Tracking.AGGREGATE, Tracking.INDIVIDUAL])
def test_of_whoever_was_forgotten_nothing_more_is_kept_and_nothing_leads_back_to_the_delivery(
    database: Database, mailing_id: int, tracking: Tracking
) -> None:
    choose(database, tracking)
    ada = deliveries(database)[ADA]
    put_in(database, one(mailing_id, ada), one(mailing_id, ada, 1))
    with database.write() as session:
        recipient = find_recipient(session, Target(mailing_id, ada))
        assert recipient is not None
        record_unsubscribe(session, recipient, BROWSER, NOW)
    before = {event.reader for event in kept(database)} | {event.source for event in kept(database)}
    with database.write() as session:
        assert forget(session, ADA, DIGEST, NOW).events == 3
    assert put_in(database, one(mailing_id, ada, 3)) == 0
    after = kept(database)
    assert {event.delivery_id for event in after} == {None}
    assert len({event.reader for event in after}) == 1
    assert before.isdisjoint({event.reader for event in after})
    assert not [event for event in after if event.source.startswith("unsubscribe") and event.source in before]
    with database.read() as session:
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)


def test_a_later_look_changes_what_was_thought_before(database: Database, mailing_id: int) -> None:
    ada = deliveries(database)[ADA]
    put_in(database, one(mailing_id, ada, 0, EventKind.CLICK))
    assert [event.verdict for event in kept(database)] == [Verdict.PERSON]
    at = int((NOW + timedelta(hours=1, seconds=5)).timestamp() * 1000)
    put_in(database, Noted(f"{at}-0", EventKind.TRAP, mailing_id, ada, None, BROWSER, None, "GET"))
    assert [event.verdict_reason for event in kept(database)] == ["visit", "trap"]
    with database.read() as session:
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)


def test_of_one_readers_message_a_thousand_events_are_kept_and_no_more(database: Database, mailing_id: int) -> None:
    ada, blaise = deliveries(database).values()
    assert put_in(database, *(one(mailing_id, ada, number) for number in range(600))) == 600
    more = [one(mailing_id, ada, number) for number in range(500, 1500)]
    assert put_in(database, *more, one(mailing_id, blaise, 2000)) == MOST_OF_A_READER - 600 + 1
    with database.read() as session:
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)


def _flush_portions(url: str, portions: list[list[Noted]]) -> int:
    """One worker's work, in a process of its own."""
    with closing(Database(url)) as database:
        return sum(put_in(database, *portion) for portion in portions)


def test_two_workers_at_once_lose_nothing_and_count_nothing_twice(database: Database, database_url: str) -> None:
    log = Simulation(8, 300, NOW).run()
    mailing_id = send(database, log)
    events = [event for event, _ in noted(database, mailing_id, log.lines).values()]
    # Readers' events lie in portions of both, and half of them are brought by both.
    random = Random(3)
    portions = [events[start : start + 40] for start in range(0, len(events), 40)]
    halves = [random.sample(portions, len(portions) * 3 // 4) for _ in range(2)]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        new = sum(pool.map(_flush_portions, [database_url] * 2, halves))
    brought = {event.id for half in halves for portion in half for event in portion}
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == new == len(brought)
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)
    flush_all(database, events, 100)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Event)) == len(events)
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)
