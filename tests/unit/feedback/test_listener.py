from __future__ import annotations

import asyncio
import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from newsletter.config import Settings, load_settings
from newsletter.db import Database
from newsletter.errors import ConfigError
from newsletter.feedback.listener import LARGEST_BYTES, listen
from tests.factories import SECRET
from tests.unit.feedback.letters import letter, report
from tests.unit.feedback.test_record import ADA, DSN, MAILBOX, VERP, counted, delivery_of, mail_all, suppressed


@contextmanager
def listening(settings: Settings) -> Iterator[smtplib.SMTP]:
    """A client of the listener, which runs in a thread."""
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(listen(settings, stopped)))
    thread.start()
    host, _, port = str(settings.bounce_listen).rpartition(":")
    try:
        yield connect(host, int(port), thread)
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0.1))
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def connect(host: str, port: int, thread: threading.Thread) -> smtplib.SMTP:
    while True:
        try:
            return smtplib.SMTP(host, port, timeout=20)
        except ConnectionRefusedError:
            assert thread.is_alive()


def settings_for(url: str) -> Settings:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{free.getsockname()[1]}"
    return load_settings(
        database_url=url,
        broker_url="redis://127.0.0.1:1/0",
        secret_key=SECRET,
        bounce_mailbox=MAILBOX,
        bounce_listen=place,
    )


@pytest.fixture
def smtp_client(database_url: str) -> Iterator[smtplib.SMTP]:
    with listening(settings_for(database_url)) as client:
        yield client
        client.close()


def test_a_bounce_is_in_sql_before_it_is_accepted(smtp_client: smtplib.SMTP, database: Database) -> None:
    mailing_id = mail_all(database)
    to = VERP.seal(mailing_id, delivery_of(database, mailing_id))
    assert smtp_client.sendmail("", [to], report(DSN)) == {}
    assert set(suppressed(database)) == {ADA}


def test_only_our_mailbox_is_taken_mail_for(smtp_client: smtplib.SMTP, database: Database) -> None:
    smtp_client.ehlo()
    smtp_client.mail("")
    forged = VERP.seal(1, 1).replace("+", "+aaaa")
    refused = [smtp_client.rcpt(to)[0] for to in ("postmaster@hebdo.example", "x@elsewhere.example", forged)]
    assert refused == [550, 550, 550]
    assert smtp_client.rcpt(MAILBOX.upper())[0] == 250
    smtp_client.rset()
    smtp_client.sendmail("", [MAILBOX], letter("Hello.", **{"from": ADA, "subject": "Hi"}))
    assert counted(database) == {("mail", "unread"): 1}


def test_what_is_too_large_is_refused(smtp_client: smtplib.SMTP) -> None:
    lines = b"x" * 70 + b"\r\n"
    with pytest.raises(smtplib.SMTPResponseException) as refused:
        smtp_client.sendmail("", [MAILBOX], lines * (LARGEST_BYTES // len(lines) + 2))
    assert refused.value.smtp_code == 552


def test_while_the_database_is_away_the_sender_keeps_the_bounce() -> None:
    with listening(settings_for("postgresql://nobody@127.0.0.1:1/none")) as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("", [MAILBOX], report(DSN))
        client.close()
    assert refused.value.smtp_code == 451


def test_a_place_that_is_taken_or_not_set_is_named(database_url: str) -> None:
    settings = settings_for(database_url)
    host, _, port = str(settings.bounce_listen).rpartition(":")
    with socket.create_server((host, int(port))), pytest.raises(ConfigError, match="cannot listen"):
        asyncio.run(listen(settings, asyncio.Event()))
    unset = settings.model_copy(update={"bounce_listen": None})
    with pytest.raises(ConfigError, match="bounce_listen"):
        asyncio.run(listen(unset, asyncio.Event()))
