"""Bounces read out of mailboxes of a real IMAP and POP3 server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.errors import UnavailableError
from newsletter.feedback import fetch
from newsletter.feedback.fetch import Fetched, fetch_bounces
from newsletter.feedback.mailbox import open_mailbox
from newsletter.feedback.mime import MAX_BYTES
from newsletter.feedback.pop3 import LARGEST_BYTES
from newsletter.feedback.record import apply_mail
from newsletter.mailbox_url import parse_mailbox_url
from newsletter.models import LeftMessage, SignalRecord
from newsletter.queue import FETCH_BOUNCES, Queue
from newsletter.settings_sources import PREFIX
from tests.factories import SECRET
from tests.servers.dovecot import DovecotServer, Maildir
from tests.servers.valkey import ValkeyServer
from tests.servers.worker import Worker
from tests.unit.feedback.letters import letter, report
from tests.unit.feedback.test_record import (
    ADA,
    DSN,
    MAILBOX,
    VERP,
    counted,
    delivery_of,
    mail_all,
    suppressed,
    token,
)

BLAISE = "blaise@example.org"
HUMAN = letter("May I write for you?", **{"from": ADA, "subject": "A proposal", "to": MAILBOX})
AWAY = letter("I am away until May.", **{"from": ADA, "subject": "Out of office", "auto_submitted": "auto-replied"})
BOTH = pytest.mark.parametrize("scheme", ["imap", "pop3"])


def settings_for(database: Database, maildir: Maildir, scheme: str = "imap", folder: str = "") -> Settings:
    return load_settings(
        database_url=database.url.render_as_string(hide_password=False),
        broker_url="redis://127.0.0.1:1/0",
        secret_key=SECRET,
        bounce_mailbox=MAILBOX,
        bounce_fetch_url=maildir.url(scheme, folder),
    )


def sender(database: Database, mailing_id: int, email: str = ADA) -> str:
    """The envelope sender of somebody's message."""
    return VERP.seal(mailing_id, delivery_of(database, mailing_id, email))


def bounce(database: Database, mailing_id: int, email: str = ADA) -> bytes:
    return report(DSN, to=sender(database, mailing_id, email))


def left(database: Database) -> int:
    with database.read() as session:
        return len(session.scalars(select(LeftMessage)).all())


@BOTH
def test_a_bounce_is_recorded_and_deleted_and_mail_for_people_stays(
    database: Database, maildir: Maildir, scheme: str
) -> None:
    mailing_id = mail_all(database)
    strangers = report(DSN.replace(ADA, "stranger@example.org"), to="editor@hebdo.example")
    maildir.add(HUMAN, bounce(database, mailing_id), AWAY, strangers)
    settings = settings_for(database, maildir, scheme)
    fetched = fetch_bounces(settings, database)
    assert str(fetched) == "4 read: 1 new, 1 deleted, 3 left for people"
    assert set(suppressed(database)) == {ADA}
    assert maildir.messages() == [HUMAN, AWAY, strangers]
    assert counted(database) == {("mail", "unread"): 1, ("mail", "unknown"): 2}
    # Nothing is read twice.
    assert fetch_bounces(settings, database) == Fetched()
    assert counted(database) == {("mail", "unread"): 1, ("mail", "unknown"): 2}


def test_over_imap_what_stays_is_as_unread_as_it_was(database: Database, maildir: Maildir) -> None:
    maildir.add(HUMAN)
    fetch_bounces(settings_for(database, maildir), database)
    assert [path.name.partition(":2,")[2] for path in maildir.files()] == [""]


def test_an_automatic_reply_of_a_reader_is_written_down_and_stays(database: Database, maildir: Maildir) -> None:
    mailing_id = mail_all(database)
    maildir.add(f"Delivered-To: {sender(database, mailing_id)}\n".encode() + AWAY)
    assert fetch_bounces(settings_for(database, maildir), database) == Fetched(read=1, new=1)
    with database.read() as session:
        assert session.scalars(select(SignalRecord.kind)).all() == ["auto-reply"]
    assert len(maildir.messages()) == 1


@pytest.mark.parametrize("name", ["Delivered-To", "X-Original-To", "Envelope-To", "To"])
def test_a_bounce_is_known_by_whom_the_server_says_it_was_sent_to(
    database: Database, maildir: Maildir, name: str
) -> None:
    mailing_id = mail_all(database)
    told = f"{name}: Somebody <somebody@hebdo.example>, <{sender(database, mailing_id, BLAISE).upper()}>\n"
    maildir.add(told.encode() + report(DSN, to=""))
    fetch_bounces(settings_for(database, maildir), database)
    assert set(suppressed(database)) == {BLAISE}


def test_a_bounce_without_a_recipient_is_known_by_the_message_that_came_back(
    database: Database, maildir: Maildir
) -> None:
    mailing_id = mail_all(database)
    returned = f"From: redaction@hebdo.example\nMessage-ID: <{token(database, mailing_id, BLAISE)}@hebdo.example>\n\n"
    maildir.add(report(DSN, returned=returned))
    fetch_bounces(settings_for(database, maildir), database)
    assert set(suppressed(database)) == {BLAISE}
    assert maildir.messages() == []


KILLED = """
import os, signal, sys
from newsletter.cli.main import main
from newsletter.feedback.imap import ImapMailbox
from newsletter.feedback.pop3 import Pop3Mailbox
ImapMailbox.delete = Pop3Mailbox.close = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
sys.argv = ["newsletter", "feedback", "fetch"]
main()
"""


@BOTH
def test_who_is_killed_before_deleting_has_recorded_and_the_next_run_deletes(
    database: Database, maildir: Maildir, scheme: str
) -> None:
    mailing_id = mail_all(database)
    maildir.add(bounce(database, mailing_id))
    settings = settings_for(database, maildir, scheme)
    environment = environment_of(settings, maildir.url(scheme))
    killed = subprocess.run([sys.executable, "-c", KILLED], env=environment, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert set(suppressed(database)) == {ADA}
    assert len(maildir.messages()) == 1
    assert fetch_bounces(settings, database) == Fetched(read=1, new=0, deleted=1)
    assert maildir.messages() == []
    assert counted(database) == {("mail", "replayed"): 1}


@BOTH
def test_while_the_database_is_away_nothing_is_deleted(maildir: Maildir, database: Database, scheme: str) -> None:
    maildir.add(bounce(database, mail_all(database)))
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(UnavailableError, match="the database"):
        fetch_bounces(settings_for(database, maildir, scheme), away)
    assert len(maildir.messages()) == 1


@BOTH
def test_a_message_that_the_server_cannot_read_holds_up_no_other(
    database: Database, maildir: Maildir, scheme: str
) -> None:
    mailing_id = mail_all(database)
    maildir.add(bounce(database, mailing_id, BLAISE), HUMAN, bounce(database, mailing_id))
    settings = settings_for(database, maildir, scheme)
    with open_mailbox(parse_mailbox_url(maildir.url("pop3"))) as mailbox:
        # The server knows how large it is, and that it is there.
        mailbox.names()
    broken = maildir.files()[1]
    broken.chmod(0)
    assert str(fetch_bounces(settings, database)).endswith("2 deleted, 0 left for people; 1 wait for the next run")
    assert set(suppressed(database)) == {ADA, BLAISE}
    [broken] = maildir.files()
    broken.chmod(0o600)
    assert fetch_bounces(settings, database) == Fetched(read=1)


@BOTH
def test_a_message_that_nobody_thought_of_is_left_and_holds_up_no_other(
    database: Database, maildir: Maildir, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not foreseen is put in the place of the one function that takes messages apart."""

    def surprised(session: object, data: bytes, *arguments: object) -> object:
        if b"A proposal" in data:
            raise RecursionError("too deep")
        return apply_mail(session, data, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(fetch, "apply_mail", surprised)
    maildir.add(HUMAN, bounce(database, mail_all(database)))
    settings = settings_for(database, maildir, scheme)
    assert fetch_bounces(settings, database) == Fetched(read=2, new=1, deleted=1)
    assert fetch_bounces(settings, database) == Fetched()
    assert maildir.messages() == [HUMAN]


@BOTH
@pytest.mark.parametrize("nonsense", [b"", b"\0\xff\r\n", b"Subject: " + b"x" * 100_000, b"." * 5_000 + b"\r\n."])
def test_nonsense_is_left_and_holds_up_no_other(
    database: Database, maildir: Maildir, scheme: str, nonsense: bytes
) -> None:
    maildir.add(nonsense, bounce(database, mail_all(database)))
    assert fetch_bounces(settings_for(database, maildir, scheme), database) == Fetched(read=2, new=1, deleted=1)


def test_of_a_large_message_imap_gives_the_beginning_and_pop3_nothing(database: Database, maildir: Maildir) -> None:
    mailing_id = mail_all(database)
    large = b"x" * 70 + b"\n"
    maildir.add(bounce(database, mailing_id) + large * (LARGEST_BYTES // len(large)))
    assert fetch_bounces(settings_for(database, maildir, "pop3"), database) == Fetched(read=1)
    assert len(maildir.messages()) == 1
    assert fetch_bounces(settings_for(database, maildir, "imap"), database) == Fetched(read=1, new=1, deleted=1)
    assert LARGEST_BYTES > MAX_BYTES


@BOTH
def test_a_run_takes_so_many_messages_and_leaves_the_rest_to_the_next(
    database: Database, maildir: Maildir, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing_id = mail_all(database)
    maildir.add(HUMAN, bounce(database, mailing_id), bounce(database, mailing_id, BLAISE))
    settings = settings_for(database, maildir, scheme)
    monkeypatch.setattr(fetch, "MOST_A_RUN", 2)
    assert fetch_bounces(settings, database) == Fetched(read=2, new=1, deleted=1, waiting=1)
    monkeypatch.setattr(fetch, "SECONDS_A_RUN", -1.0)
    assert fetch_bounces(settings, database) == Fetched(waiting=1)
    monkeypatch.undo()
    assert fetch_bounces(settings_for(database, maildir, scheme), database) == Fetched(read=1, new=1, deleted=1)


@BOTH
def test_what_lies_there_no_longer_is_forgotten(database: Database, maildir: Maildir, scheme: str) -> None:
    maildir.add(HUMAN, AWAY)
    settings = settings_for(database, maildir, scheme)
    fetch_bounces(settings, database)
    assert left(database) == 2
    maildir.files()[0].unlink()
    fetch_bounces(settings, database)
    assert left(database) == 1


def test_a_folder_of_any_name_is_read_and_no_other(database: Database, maildir: Maildir) -> None:
    mailing_id = mail_all(database)
    # As IMAP writes “Réponses & co”.
    folder = "R&AOk-ponses &- co"
    maildir.add(bounce(database, mailing_id), folder=folder)
    maildir.add(bounce(database, mailing_id, BLAISE))
    fetch_bounces(settings_for(database, maildir, folder="Réponses & co"), database)
    assert set(suppressed(database)) == {ADA}
    assert (len(maildir.messages()), maildir.messages(folder)) == (1, [])


@BOTH
@pytest.mark.parametrize("password", ['a:b/?#@%"\\ &+', "sésame"])
def test_a_password_may_have_any_signs(
    database: Database, dovecot: DovecotServer, scheme: str, password: str
) -> None:
    maildir = dovecot.mailbox(password)
    maildir.add(HUMAN)
    assert fetch_bounces(settings_for(database, maildir, scheme), database) == Fetched(read=1)


def environment_of(settings: Settings, url: str) -> dict[str, str]:
    """The same settings for a process of its own."""
    given = {
        "database_url": settings.database_url,
        "broker_url": settings.broker_url,
        "secret_key": SECRET,
        "bounce_mailbox": MAILBOX,
        "bounce_fetch_url": url,
    }
    return os.environ | {f"{PREFIX}{name}".upper(): str(value) for name, value in given.items()}


def test_two_runs_at_once_do_no_harm(database: Database, maildir: Maildir) -> None:
    mailing_id = mail_all(database)
    maildir.add(HUMAN, bounce(database, mailing_id), bounce(database, mailing_id, BLAISE))
    command = sys.executable, "-m", "newsletter", "feedback", "fetch"
    environment = environment_of(settings_for(database, maildir), maildir.url())
    runs = [subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) for _ in range(2)]
    ended = [(run.communicate(timeout=60)[1], run.returncode) for run in runs]
    assert ended == [(b"", 0)] * 2
    assert set(suppressed(database)) == {ADA, BLAISE}
    assert maildir.messages() == [HUMAN]


def test_a_worker_fetches_when_it_is_its_time(
    database: Database, maildir: Maildir, valkey: ValkeyServer, tmp_path: Path
) -> None:
    maildir.add(bounce(database, mail_all(database)))
    settings = settings_for(database, maildir).model_copy(update={"broker_url": valkey.url})
    queue = Queue(settings)
    with Worker(tmp_path, environment_of(settings, maildir.url()), beat=False, processes=1) as worker:
        queue.put(FETCH_BOUNCES)
        give_up_at = time.monotonic() + 30
        while maildir.messages() and time.monotonic() < give_up_at:
            time.sleep(0.1)
    queue.close()
    assert maildir.messages() == []
    assert set(suppressed(database)) == {ADA}
    assert "1 read: 1 new, 1 deleted, 0 left for people" in worker.log
    assert maildir.password not in worker.log


SCHEDULED = "from workers.celery import app; print('fetch-bounces' in app.conf.beat_schedule)"


@pytest.mark.parametrize("url", ["imaps://ada:x@mail.example.org", ""])
def test_beat_puts_the_task_only_where_there_is_a_mailbox(url: str) -> None:
    environment = {name: value for name, value in {"NEWSLETTER_BOUNCE_FETCH_URL": url}.items() if value}
    command = sys.executable, "-c", SCHEDULED
    told = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str(bool(url))
