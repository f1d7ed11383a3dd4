"""A mailing watched live: in a terminal, in a pipe, until it is over or Ctrl-C."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import update

from newsletter.cli import progress
from newsletter.cli.progress import counted, outcomes, watch_mailing
from newsletter.db import Database
from newsletter.models import DeliveryState, Mailing, MailingStatus
from newsletter.resources import SAMPLE_ISSUE
from tests.factories import EMAILS, make_mailing
from tests.servers.smtp import SmtpServer
from tests.unit.cli.conftest import Cli
from tests.unit.sending.conftest import Post

SECONDS = 30.0


class Terminal:
    """What a command in a terminal has shown so far."""

    def __init__(self, process: subprocess.Popen[bytes], screen: int) -> None:
        self.process = process
        self._screen = screen
        self._shown = b""

    def wait_for(self, words: str) -> str:
        """All that was shown, once `words` are among it."""
        until = time.monotonic() + SECONDS
        while words not in self._text and time.monotonic() < until:
            try:
                self._shown += os.read(self._screen, 65_536)
            except OSError:
                break
        assert words in self._text, self._text
        return self._text

    @property
    def _text(self) -> str:
        return self._shown.decode("utf-8", "replace")


@contextmanager
def terminal(folder: Path, *arguments: str) -> Iterator[Terminal]:
    """`newsletter …` in a terminal of its own."""
    screen, inside = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", *arguments],
        cwd=folder,
        env=os.environ | {"TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
        stdin=inside,
        stdout=inside,
        stderr=inside,
        # Whoever runs the tests in the background has Ctrl-C ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    os.close(inside)
    try:
        yield Terminal(process, screen)
    finally:
        process.kill()
        process.wait()
        os.close(screen)


def change(database: Database, status: MailingStatus) -> None:
    with database.write() as session:
        session.execute(update(Mailing).values(status=status))


def test_a_mailing_is_drawn_in_a_terminal_until_it_is_over(cli: Cli, post: Post) -> None:
    mailing_id = make_mailing(post.database, slug="samedi")
    with terminal(cli.folder, "mailing", "show", str(mailing_id), "--watch") as shown:
        first = shown.wait_for("waits for a worker")
        assert f"Mailing {mailing_id} is sending" in first
        assert "0 of 3 have an outcome" in first
        post.turn()
        assert "3 of 3 have an outcome" in shown.wait_for(f"Mailing {mailing_id} is sent")
        assert shown.process.wait(timeout=SECONDS) == 0


def test_ctrl_c_ends_the_watching_and_nothing_else(cli: Cli, world: Database) -> None:
    mailing_id = make_mailing(world, slug="samedi")
    with terminal(cli.folder, "mailing", "show", str(mailing_id), "--watch") as shown:
        shown.wait_for("have an outcome")
        shown.process.send_signal(signal.SIGINT)
        assert shown.process.wait(timeout=SECONDS) == 130
    with world.read() as session:
        assert session.get_one(Mailing, mailing_id).status is MailingStatus.SENDING


def test_in_a_pipe_a_watched_mailing_is_drawn_once_when_it_is_over(cli: Cli, post: Post, smtp: SmtpServer) -> None:
    smtp.refuse[EMAILS[0]] = "550 5.1.1 no such user"
    mailing_id = make_mailing(post.database, slug="samedi")
    post.turn()
    lines = cli("mailing", "show", str(mailing_id), "--watch").success.splitlines()
    assert lines[0] == f"Mailing {mailing_id} is sent"
    assert lines[1].endswith(" 3 of 3 have an outcome")
    assert [line.split() for line in lines[3:]] == [
        ["state", "recipients"],
        ["sent", "2"],
        ["rejected", "1"],
        ["address", "1"],
        [],
        ["domain", "audience", "sent", "to", "send", "deferred", "failed"],
        ["example.org", "3", "2", "0", "0", "1"],
    ]


def test_a_mailing_cancelled_before_it_began_has_nothing_to_draw(cli: Cli, world: Database) -> None:
    mailing_id = make_mailing(world, slug="samedi", planned=False)
    change(world, MailingStatus.CANCELLED)
    assert cli("mailing", "show", str(mailing_id), "--watch").success == f"Mailing {mailing_id} is cancelled\n"


@pytest.mark.usefixtures("world")
def test_whoever_stops_waiting_is_told_that_the_mailing_goes_on(cli: Cli) -> None:
    command = ("send", str(SAMPLE_ISSUE), "--list", "vendredi", "--at", "2090-01-06T08:00", "--wait")
    with terminal(cli.folder, *command) as shown:
        shown.wait_for("ETA")
        shown.process.send_signal(signal.SIGINT)
        shown.wait_for("mailing 1 goes on; `newsletter mailing show 1 --watch` shows how")
        assert shown.process.wait(timeout=SECONDS) == 130


def test_a_bar_that_does_not_move_says_where_to_look(
    world: Database, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "STALLED_SECONDS", 0.2)
    monkeypatch.setattr(progress, "POLL_SECONDS", 0.1)
    mailing_id = make_mailing(world, slug="samedi", planned=False)
    editor = Thread(target=pause_then_cancel, args=[world])
    editor.start()
    found = watch_mailing(world, mailing_id)
    editor.join()
    assert found.status is MailingStatus.CANCELLED
    hints = [line for line in capfd.readouterr().err.splitlines() if "says why" in line]
    assert hints == [
        f"nothing moves: `newsletter mailing show {mailing_id}` says why",
        f"paused: `newsletter mailing show {mailing_id}` says why",
    ]


def pause_then_cancel(database: Database) -> None:
    for status in (MailingStatus.PAUSED, MailingStatus.CANCELLED):
        time.sleep(1)
        change(database, status)


def test_numbers_of_things_are_in_words() -> None:
    assert [counted(number, "recipient") for number in (0, 1, 3000)] == [
        "0 recipients",
        "1 recipient",
        "3,000 recipients",
    ]


def test_states_are_told_in_the_order_of_the_ledger() -> None:
    states = {DeliveryState.UNCERTAIN: 1, DeliveryState.SENT: 2988, DeliveryState.REJECTED: 11}
    assert outcomes(states) == "2,988 sent, 11 rejected, 1 uncertain"
    assert outcomes({}) == "nobody was sent anything"
