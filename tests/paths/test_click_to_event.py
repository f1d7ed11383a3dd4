from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from starlette.testclient import TestClient

from newsletter import queue
from newsletter.clock import utc_now
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.models import Delivery, DeliveryState
from newsletter.queue import Queue
from newsletter.stats.report import Report, report
from newsletter.stats.tallies import Count, Tally
from newsletter.tracking.tokens import Tokens
from newsletter.web.app import make_app
from tests.factories import EMAILS, make_mailing
from tests.paths.steps import wait_until
from tests.servers.smtp import SmtpServer
from tests.servers.worker import Worker


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    opened = Database(settings.database)
    yield opened
    opened.close()


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(make_app(settings), follow_redirects=False) as client:
        yield client


def facts_of(database: Database, mailing_id: int) -> Report:
    with database.read() as session:
        return report(session, mailing_id)


def test_what_a_reader_does_is_in_the_report_soon_after(
    settings: Settings, database: Database, client: TestClient, worker: Worker
) -> None:
    mailing_id = make_mailing(database)
    with database.write() as session:
        an_hour_ago = utc_now() - timedelta(hours=1)
        session.execute(update(Delivery).values(state=DeliveryState.SENT, settled_at=an_hour_ago))
        first = session.scalars(select(Delivery.id)).first()
    assert first is not None
    tokens = Tokens.of(settings.secret())
    assert client.get(f"/o/{tokens.opens.seal(mailing_id, first)}.gif").status_code == 200
    answer = client.get(f"/c/{tokens.clicks.seal(mailing_id, first)}/2")
    assert answer.status_code == 302
    wait_until(lambda: facts_of(database, mailing_id).clicks != Tally(), "the click to reach SQL")
    facts = facts_of(database, mailing_id)
    assert (facts.opens.person, facts.links[1].clicks.person) == (Count(1, 1), Count(1, 1))
    assert facts.links[1].url == answer.headers["location"]
    assert "Traceback" not in worker.log


def test_unsubscribing_holds_for_a_batch_that_is_queued_already(
    settings: Settings, database: Database, client: TestClient, smtp: SmtpServer
) -> None:
    mailing_id = make_mailing(database)
    tasks = Queue(settings)
    tasks.put(queue.DELIVER)
    with database.read() as session:
        leaver = session.scalars(select(Delivery).where(Delivery.email == EMAILS[1])).one()
    tasks.close()
    token = Tokens.of(settings.secret()).unsubscribes.seal(mailing_id, leaver.id)
    assert client.post(f"/u/{token}", content="List-Unsubscribe=One-Click").status_code == 200
    work_off(settings, database, mailing_id)
    assert sorted(recipients for _, recipients, _ in smtp.messages) == [[EMAILS[0]], [EMAILS[2]]]


def work_off(settings: Settings, database: Database, mailing_id: int) -> None:
    """Let a worker, started only now, take what is queued."""
    environment = {name: value for name, value in os.environ.items() if name.startswith("NEWSLETTER_")}
    with Worker(settings.data_dir, environment, beat=False):
        wait_until(lambda: DeliveryState.PENDING not in facts_of(database, mailing_id).mailing.states, "the batch")
