from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import pytest
from redis import Redis
from sqlalchemy import select, update

from newsletter.clock import utc_now
from newsletter.db import Database
from newsletter.models import Delivery, DeliveryState, Event, EventKind, Publication, Tracking
from newsletter.stats.report import report
from newsletter.stats.tallies import Count
from newsletter.tracking.buffer import FIELD, STREAM, EventBuffer, bundle, entry
from newsletter.tracking.deliveries import find_recipient, link_targets, record_unsubscribe
from newsletter.tracking.flush import flush
from newsletter.tracking.tokens import Target, Tokens, read_token
from tests.factories import make_mailing
from tests.servers.valkey import ValkeyServer

Note = Callable[[EventKind, int, int, int | None, str], None]


@pytest.fixture
def redis(valkey: ValkeyServer) -> Iterator[Redis]:
    client = Redis(unix_socket_path=str(valkey.socket))
    yield client
    client.close()


@pytest.fixture
def buffer(redis: Redis) -> EventBuffer:
    return EventBuffer(redis)


@pytest.fixture
def note(redis: Redis) -> Note:
    """Notes one event, as the endpoint does where nothing else came with it."""

    def noted(kind: EventKind, mailing_id: int, delivery_id: int, link_number: int | None, agent: str) -> None:
        page = bundle(token_hex(8), [entry(kind, mailing_id, delivery_id, link_number, agent)])
        redis.xadd(STREAM, {FIELD: page})

    return noted


def deliveries(database: Database) -> list[int]:
    with database.read() as session:
        return list(session.scalars(select(Delivery.id).order_by(Delivery.id)))


def test_an_event_flushed_twice_is_kept_once(database: Database, buffer: EventBuffer, note: Note) -> None:
    mailing_id = make_mailing(database)
    first, *_ = deliveries(database)
    note(EventKind.CLICK, mailing_id, first, 2, "Browser")
    noted = buffer.oldest()
    for expected in (1, 0):
        with database.write() as session:
            assert flush(session, noted) == expected
    with database.read() as session:
        event = session.scalars(select(Event)).one()
    assert (event.kind, event.link_number, event.user_agent) == (EventKind.CLICK, 2, "Browser")
    assert abs((datetime.now(UTC) - event.occurred_at).total_seconds()) < 60


def test_a_user_agent_may_hold_anything(database: Database, buffer: EventBuffer, note: Note) -> None:
    mailing_id = make_mailing(database)
    for agent in ("Bro\0wser", "Br\towser", "Brœwser \U0001f4ec", "x" * 500):
        note(EventKind.OPEN, mailing_id, deliveries(database)[0], None, agent)
    with database.write() as session:
        assert flush(session, buffer.oldest()) == 4
        agents = session.scalars(select(Event.user_agent).order_by(Event.id)).all()
    assert agents == ["Browser", "Br\towser", "Brœwser \U0001f4ec", "x" * 300]


def test_an_event_stays_in_the_buffer_until_it_is_dropped(
    database: Database, buffer: EventBuffer, note: Note
) -> None:
    mailing_id = make_mailing(database)
    note(EventKind.OPEN, mailing_id, deliveries(database)[0], None, "")
    assert buffer.oldest() == buffer.oldest() != []
    buffer.drop(buffer.oldest())
    assert buffer.oldest() == []


def test_an_event_of_a_delivery_that_is_gone_is_passed_over(
    database: Database, buffer: EventBuffer, note: Note
) -> None:
    mailing_id = make_mailing(database)
    note(EventKind.OPEN, mailing_id, 10**9, None, "")
    note(EventKind.OPEN, mailing_id, deliveries(database)[0], None, "")
    with database.write() as session:
        assert flush(session, buffer.oldest()) == 1


def test_a_report_counts_people_and_not_events(
    database: Database, buffer: EventBuffer, note: Note, now: datetime
) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session:
        session.execute(update(Publication).values(tracking=Tracking.INDIVIDUAL))
        sent_at = utc_now() - timedelta(hours=1)
        session.execute(update(Delivery).values(state=DeliveryState.SENT, settled_at=sent_at))
    ada, blaise, _ = deliveries(database)
    for delivery_id, kind, link in (
        (ada, EventKind.OPEN, None),
        (ada, EventKind.OPEN, None),
        (blaise, EventKind.OPEN, None),
        (ada, EventKind.CLICK, 1),
        (ada, EventKind.CLICK, 1),
        (blaise, EventKind.CLICK, 2),
    ):
        note(kind, mailing_id, delivery_id, link, "Firefox")
    with database.write() as session:
        flush(session, buffer.oldest())
        recipient = find_recipient(session, Target(mailing_id, ada))
        assert recipient is not None
        for _ in range(2):
            record_unsubscribe(session, recipient, "", now)
    with database.read() as session:
        facts = report(session, mailing_id)
        targets = link_targets(session, mailing_id)
    assert (facts.mailing.audience, facts.mailing.delivered, facts.unsubscribed) == (3, 3, 1)
    assert (facts.opens.person, facts.clicks.person) == (Count(2, 3), Count(2, 3))
    assert [link.clicks.person for link in facts.links[:3]] == [Count(1, 2), Count(1, 1), Count()]
    assert [link.url for link in facts.links] == list(targets.values())


def test_a_token_is_good_for_its_purpose_alone() -> None:
    tokens = Tokens.of(b"k" * 32)
    token = tokens.opens.seal(3, 7)
    assert read_token(tokens.opens, token) == Target(3, 7)
    assert read_token(tokens.clicks, token) is None
    assert read_token(tokens.unsubscribes, token) is None


def test_a_delivery_is_found_only_under_its_own_mailing(database: Database) -> None:
    mailing_id = make_mailing(database)
    (first, *_) = deliveries(database)
    with database.read() as session:
        assert find_recipient(session, Target(mailing_id, first)) is not None
        assert find_recipient(session, Target(mailing_id + 1, first)) is None
