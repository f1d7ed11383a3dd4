from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from newsletter.clock import utc_now
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.feedback.leaving import let_leave
from newsletter.models import Consent, ConsentAction, Event, EventKind, Subscription, SubscriptionStatus
from newsletter.queue import make_redis
from newsletter.tracking.departures import Departures
from tests.servers.valkey import ValkeyServer
from tests.unit.web.conftest import BAD_TOKENS, TOKENS, Sent, serving

# Nobody listens there.
AWAY = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def without_sql(settings: Settings) -> Iterator[TestClient]:
    yield from serving(settings.model_copy(update={"database_url": AWAY}))


@pytest.fixture
def departures(settings: Settings) -> Iterator[Departures]:
    kept = Departures(make_redis(settings))
    yield kept
    kept.close()


def statuses(database: Database) -> list[SubscriptionStatus]:
    with database.read() as session:
        return sorted(session.scalars(select(Subscription.status)))


def test_one_click_is_answered_while_sql_is_away_and_done_once_it_is_back(
    without_sql: TestClient, sent: Sent, database: Database, departures: Departures
) -> None:
    for _ in range(2):
        answer = without_sql.post(f"/u/{sent.unsubscribes}", data=ONE_CLICK, headers={"User-Agent": "Gmail"})
        assert answer.status_code == 200
        assert "You are unsubscribed" in answer.text
    waiting = departures.waiting()
    assert [departure.target for departure in waiting] == [(sent.mailing_id, sent.delivery_id)] * 2
    for _ in range(2):
        with database.write() as session:
            for departure in waiting:
                let_leave(session, departure)
    departures.drop(waiting)
    assert departures.waiting() == []
    assert statuses(database) == [SubscriptionStatus.ACTIVE] * 2 + [SubscriptionStatus.UNSUBSCRIBED]
    with database.read() as session:
        event = session.scalars(select(Event)).one()
        trail = session.scalars(select(Consent).where(Consent.action == ConsentAction.UNSUBSCRIBE)).one()
    assert (event.kind, event.mailing_id) == (EventKind.UNSUBSCRIBE, sent.mailing_id)
    assert abs(utc_now() - trail.at) < timedelta(minutes=1)


def test_where_the_buffer_is_away_too_a_mailbox_provider_is_told_to_try_again(
    without_sql: TestClient, sent: Sent, valkey: ValkeyServer
) -> None:
    valkey.kill()
    answer = without_sql.post(f"/u/{sent.unsubscribes}", data=ONE_CLICK)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "nobody" not in answer.text


def test_the_page_with_the_button_is_shown_without_sql_in_the_browser_s_language(
    without_sql: TestClient, sent: Sent, departures: Departures
) -> None:
    answer = without_sql.get(f"/u/{sent.unsubscribes}", headers={"Accept-Language": "fr"})
    assert answer.status_code == 200
    assert ">Se désabonner</button>" in answer.text
    assert 'class="publication"' not in answer.text
    assert departures.waiting() == []


def test_no_bad_token_is_taken_for_a_reader_who_leaves(
    without_sql: TestClient, sent: Sent, departures: Departures
) -> None:
    for token in (*BAD_TOKENS, sent.opens, sent.clicks, TOKENS.opens.seal(1, 1)):
        assert without_sql.post(f"/u/{token}", data=ONE_CLICK).status_code == 404
    assert departures.waiting() == []
