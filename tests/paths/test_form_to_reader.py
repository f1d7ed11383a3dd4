"""From the form to the first place on a list: the web application, a real worker with beat, a real SMTP server."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from sqlalchemy import select
from starlette.testclient import TestClient

from newsletter.audience.lists import Manner, edit_list
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.models import Subscription, SubscriptionStatus
from newsletter.web.app import make_app
from tests.factories import make_list
from tests.servers.smtp import SmtpServer
from tests.servers.worker import Worker
from tests.unit.web.mailbox import Mailbox

ADA = "ada@example.org"
FORM = urlencode({"email": ADA, "consent": "yes", "language": "fr"})


def test_a_worker_sends_the_confirmation_and_after_the_answer_the_welcome(
    settings: Settings, database: Database, worker: Worker, smtp: SmtpServer
) -> None:
    assert worker
    with database.write() as session:
        edit_list(session, make_list(session), Manner(is_public=True))
    mailbox = Mailbox(settings, database, smtp)
    with TestClient(make_app(settings)) as client:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        assert client.post("/subscribe/vendredi", content=FORM, headers=headers).status_code == 200
        wait_for(mailbox, 1)
        assert client.post(mailbox.link(ADA, "confirm")).status_code == 200
        wait_for(mailbox, 2)
    assert "Bienvenue" in mailbox.last(ADA)["Subject"]
    with database.read() as session:
        assert session.scalars(select(Subscription.status)).one() is SubscriptionStatus.ACTIVE


def wait_for(mailbox: Mailbox, count: int) -> None:
    give_up_at = time.monotonic() + 60
    while len(mailbox.messages(ADA)) < count:
        assert time.monotonic() < give_up_at
        time.sleep(0.1)
