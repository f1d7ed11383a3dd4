from __future__ import annotations

import json
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from sqlalchemy import update

from newsletter.clock import utc_now
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.models import Mailing
from newsletter.resources import SAMPLE_ISSUE
from tests.factories import make_list, subscribe_all
from tests.paths.steps import newsletter, wait_until
from tests.servers.smtp import SmtpServer
from tests.servers.worker import Worker

READERS = 250


@pytest.fixture(autouse=True)
def _audience(settings: Settings) -> None:
    database = Database(settings.database)
    with database.write() as session:
        people = [(f"reader{number}@example.org", f"Nom{number}") for number in range(READERS)]
        subscribe_all(session, make_list(session), people)
    database.close()


def test_an_issue_sent_from_the_command_line_reaches_every_subscriber_once(smtp: SmtpServer, worker: Worker) -> None:
    facts = json.loads(newsletter("send", str(SAMPLE_ISSUE), "--list", "vendredi", "--wait", "--json"))
    assert (facts["status"], facts["audience"], facts["states"]) == ("sent", READERS, {"sent": READERS})
    recipients = [recipient for _, recipients, _ in smtp.messages for recipient in recipients]
    assert sorted(recipients) == sorted(f"reader{number}@example.org" for number in range(READERS))
    unsubscribes = set()
    for _, _, raw in smtp.messages:
        message = message_from_bytes(raw, policy=policy.default)
        assert message.defects == []
        assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
        assert max(map(len, raw.split(b"\r\n"))) <= 998
        unsubscribes.add(message["List-Unsubscribe"].split(">")[0])
    assert len(unsubscribes) == READERS
    assert "Traceback" not in worker.log


def test_a_scheduled_mailing_leaves_at_its_time_and_not_before(
    settings: Settings, smtp: SmtpServer, worker: Worker
) -> None:
    at = utc_now() + timedelta(hours=1)
    facts = json.loads(newsletter("send", str(SAMPLE_ISSUE), "--list", "vendredi", "--at", at.isoformat(), "--json"))
    assert facts["status"] == "scheduled"
    database = Database(settings.database)
    # Time passes in the ledger: the due time is a row, so moving it is as good as waiting for it.
    with database.write() as session:
        session.execute(update(Mailing).values(due_at=utc_now() + timedelta(seconds=3)))
    assert smtp.messages == []
    wait_until(lambda: len(smtp.messages) == READERS, "the sweep to find the due mailing")
    with database.read() as session:
        assert session.get_one(Mailing, facts["mailing_id"]).started_at is not None
    database.close()
    assert "Traceback" not in worker.log
