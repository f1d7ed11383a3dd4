"""From a server's refusal to the subscriber, over a Postfix that takes everything first and reports afterwards."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.embedded.processes import Command, Process
from newsletter.models import Delivery, DeliveryState, SignalRecord, Subscriber, Suppression, SuppressionReason
from newsletter.resources import SAMPLE_ISSUE
from newsletter.settings_sources import PREFIX
from tests.factories import make_list, subscribe_all
from tests.paths.steps import newsletter, wait_until
from tests.servers.postfix import Postfix, needs_postfix
from tests.servers.postgres import free_port
from tests.servers.smtp import SmtpServer
from tests.servers.worker import Worker

pytestmark = [needs_postfix, pytest.mark.timeout(180)]

DOCS = Path(__file__).parents[2] / "docs" / "feedback.md"
WELL, SLOW, FULL, LATE = "well@reader.example", "slow@reader.example", "full@reader.example", "late@reader.example"
GONE, MOVED, DOMAIN = "gone@reader.example", "moved@reader.example", "nobody@gone.example"
BLOCKED, FILTERED = "blocked@reader.example", "filtered@reader.example"
AT_THE_RECIPIENT = {
    GONE: "550 5.1.1 no such user here",
    MOVED: "551 5.1.6 the user has moved",
    DOMAIN: "550 5.1.2 unknown domain",
    BLOCKED: "554 5.7.1 client host [192.0.2.1] blocked using zen.example",
    FULL: "552 5.2.2 mailbox over quota",
    LATE: "450 4.1.1 no such user here just now",
}
AT_FIRST = {SLOW: "450 4.3.0 not now"}
AFTER_THE_MESSAGE = {FILTERED: "554 5.6.0 this looks like spam"}
ALL = (WELL, *AT_FIRST, *AT_THE_RECIPIENT, *AFTER_THE_MESSAGE)
# Who is told of more than once: by a report that it takes longer, and by one of how it ended.
REPORTS = [*AT_FIRST, *AT_THE_RECIPIENT, *AFTER_THE_MESSAGE, LATE]
# Times in which a server tells of a delay and gives up, days made seconds.
HASTE = "delay_warning_time = 1s\nmaximal_queue_lifetime = 6s\nbounce_queue_lifetime = 6s\n"


@pytest.fixture
def listen() -> str:
    return f"127.0.0.1:{free_port('127.0.0.1')}"


@pytest.fixture
def postfix(smtp: SmtpServer, listen: str) -> Iterator[Postfix]:
    """Set up by the lines that the documentation gives, with the readers' server behind it."""
    (documented,) = re.findall(r"```\n(\s+recipient_delimiter.+?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert "127.0.0.1]:2525" in documented
    lines = re.sub(r"^ +", "", documented, flags=re.MULTILINE).replace("127.0.0.1]:2525", listen.replace(":", "]:"))
    with Postfix(f"{lines}\nmydestination = example.org\nrelayhost = [127.0.0.1]:{smtp.port}\n{HASTE}") as server:
        yield server


@pytest.fixture
def settings(settings: Settings, postfix: Postfix, listen: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings as for any path, but over Postfix, with bounces taken by the listener."""
    values = {
        "SMTP_URL": f"smtp://127.0.0.1:{postfix.port}",
        "BOUNCE_MAILBOX": "bounces@example.org",
        "BOUNCE_LISTEN": listen,
        "SOFT_BOUNCES": "2",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"{PREFIX}{name}", value)
    assert settings.secret_key
    return load_settings()


@pytest.fixture
def listener(settings: Settings, tmp_path: Path) -> Iterator[Process]:  # noqa: ARG001 - it reads them itself
    command = (sys.executable, "-m", "newsletter", "feedback", "listen")
    process = Process(Command("bounces", command, dict(os.environ), tmp_path / "bounces.log"))
    process.start()
    yield process
    process.stop(10)


def test_what_a_server_reports_after_taking_the_mail_suppresses_exactly_who_is_gone(
    database: Database, smtp: SmtpServer, postfix: Postfix, worker: Worker, listener: Process
) -> None:
    assert listener.running
    with database.write() as session:
        subscribe_all(session, make_list(session), [(email, "") for email in ALL])
    assert send(smtp, database) == sorted(ALL)
    gone = {GONE, MOVED, DOMAIN}
    assert suppressed(database) == gone
    # A second time: two soft bounces in a row are one too many here. Delays, filters and blocks are none.
    assert send(smtp, database) == sorted(set(ALL) - gone)
    assert suppressed(database) == {*gone, FULL, LATE}
    assert sorted(to for _, recipients, _ in smtp.messages for to in recipients) == [SLOW, SLOW, WELL, WELL]
    assert "Traceback" not in worker.log
    assert listener.running
    assert [line for line in postfix.log.splitlines() if "fatal:" in line or "panic:" in line] == []


def send(smtp: SmtpServer, database: Database) -> list[str]:
    """Send an issue and wait until everything has come back; whom it was sent to."""
    smtp.refuse_once.update(AT_FIRST)
    smtp.refuse_data.update(AFTER_THE_MESSAGE)
    smtp.refuse.update(AT_THE_RECIPIENT)
    before = len(told(database))
    facts = json.loads(newsletter("send", str(SAMPLE_ISSUE), "--list", "vendredi", "--wait", "--json"))
    with database.read() as session:
        sent = select(Delivery.email).where(Delivery.mailing_id == facts["mailing_id"])
        emails = sorted(session.scalars(sent.where(Delivery.state == DeliveryState.SENT)))
    assert facts["states"] == {"sent": len(emails)}
    reports = sorted(email for email in REPORTS if email in emails)
    wait_until(lambda: len(told(database)) >= before + len(reports), "everything to come back", seconds=60)
    assert sorted(told(database)[before:]) == reports
    return emails


def told(database: Database) -> list[str]:
    """Whom something came back about, in the order in which it came."""
    with database.read() as session:
        people = select(Subscriber.email).join(SignalRecord, SignalRecord.subscriber_id == Subscriber.id)
        return list(session.scalars(people.order_by(SignalRecord.id)))


def suppressed(database: Database) -> set[str]:
    with database.read() as session:
        wanted = select(Suppression.address).where(Suppression.reason == SuppressionReason.BOUNCED)
        return set(session.scalars(wanted))
