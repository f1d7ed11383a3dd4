from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from newsletter import queue
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.mail.transport import CONNECTIONS
from newsletter.models import Delivery, DeliveryState, Mailing, MailingStatus
from newsletter.queue import Queue
from newsletter.settings_sources import PREFIX
from tests.factories import make_mailing
from tests.paths.steps import wait_until
from tests.servers.smtp import SmtpServer
from tests.servers.worker import Worker

RECIPIENTS = 2000
KILLS = 3
PROCESSES = 2


def kill_all(worker: Worker) -> None:
    """As `kill -9` of the worker and all its processes at one moment."""
    assert worker.process.pid is not None
    with suppress(ProcessLookupError):
        os.killpg(worker.process.pid, signal.SIGKILL)


@pytest.mark.timeout(240)
def test_killed_workers_send_to_nobody_twice_and_leave_only_what_was_on_the_wire_in_doubt(
    settings: Settings, smtp: SmtpServer, tmp_path: Path
) -> None:
    database = Database(settings.database)
    emails = [f"reader{number}@example.org" for number in range(RECIPIENTS)]
    mailing_id = make_mailing(database, emails, planned=False)
    tasks = Queue(settings)
    tasks.put(queue.PLAN, mailing_id)
    tasks.close()
    environment = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    random = Random(56)

    def is_sent() -> bool:
        with database.read() as session:
            return session.get_one(Mailing, mailing_id).status is MailingStatus.SENT

    for round_ in range(KILLS):
        with Worker(tmp_path, environment) as worker:
            arrived = len(smtp.messages)
            wait_until(lambda arrived=arrived: len(smtp.messages) > arrived, "messages to leave", 60)  # type: ignore[misc]
            time.sleep(random.uniform(0.05, 0.6))
            kill_all(worker)
        (tmp_path / "worker.log").rename(tmp_path / f"worker-{round_}.log")
    with Worker(tmp_path, environment):
        wait_until(is_sent, "the mailing to end", 120)

    received = Counter(recipient for _, recipients, _ in smtp.messages for recipient in recipients)
    with database.read() as session:
        ledger = dict(session.execute(select(Delivery.email, Delivery.state)).all())
    database.close()
    uncertain = {email for email, state in ledger.items() if state is DeliveryState.UNCERTAIN}
    assert set(ledger.values()) <= {DeliveryState.SENT, DeliveryState.UNCERTAIN}
    assert [email for email, times in received.items() if times > 1] == []
    assert set(emails) - received.keys() <= uncertain
    assert len(uncertain) <= KILLS * PROCESSES * CONNECTIONS
