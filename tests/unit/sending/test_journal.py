from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from newsletter.db import Database
from newsletter.mail.outcome import Outcome, Verdict
from newsletter.models import Delivery, DeliveryState, Suppression
from newsletter.sending import journal as journals
from newsletter.sending import ledger
from newsletter.sending.journal import ENTRIES, Journal, dead_journals
from newsletter.sending.recover import settle_for
from tests.factories import EMAILS, PATIENCE, make_mailing

DATA = Path("data")
SENT = Outcome(Verdict.SENT, "250 2.0.0 kept as é")
WRITER = """
import os, signal, sys
from pathlib import Path
from newsletter.mail.outcome import Outcome, Verdict
from newsletter.sending.journal import Journal
journal = Journal(Path("data"))
journal.leaving(0, 1)
journal.settled(0, 1, Outcome(Verdict.SENT, "250 kept"))
journal.leaving(0, 2)
journal.leaving(3, 5)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def journal() -> Iterator[Journal]:
    yield (made := Journal(DATA))
    made.close()


def test_what_a_killed_process_wrote_last_is_read_by_the_next() -> None:
    root = Path(__file__).parents[3]
    killed = subprocess.run([sys.executable, "-c", WRITER], env={**os.environ, "PYTHONPATH": str(root)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    (testimony,) = dead_journals(DATA)
    assert testimony.outcomes == {1: Outcome(Verdict.SENT, "250 kept")}
    assert testimony.doubtful == {2, 5}
    assert testimony.is_whole
    assert list(dead_journals(DATA)) == []


def test_the_journal_of_a_living_process_is_left_alone(journal: Journal) -> None:
    journal.leaving(0, 1)
    assert list(dead_journals(DATA)) == []


def test_an_outcome_takes_the_doubt_away_and_clearing_forgets_it() -> None:
    journal = Journal(DATA)
    journal.leaving(1, 7)
    journal.settled(1, 7, SENT)
    journal.leaving(1, 8)
    journal.clear()
    journal.close()
    (testimony,) = dead_journals(DATA)
    assert testimony.outcomes == {}
    assert testimony.doubtful == {8}


def test_a_long_reply_is_cut_between_characters() -> None:
    journal = Journal(DATA)
    journal.settled(0, 1, Outcome(Verdict.REJECTED, "550 " + "é" * 200))
    journal.close()
    (testimony,) = dead_journals(DATA)
    assert testimony.outcomes[1].reply.startswith("550 éé")
    assert testimony.outcomes[1].reply.isprintable()


def test_a_journal_that_nobody_clears_fills_up_and_says_so(journal: Journal) -> None:
    for number in range(ENTRIES):
        journal.settled(0, number + 1, SENT)
    with pytest.raises(IndexError, match="full"):
        journal.settled(0, ENTRIES + 1, SENT)


def claim(database: Database, owner: str, now: datetime) -> list[int]:
    with database.write() as session:
        taken = ledger.take(session, 1, owner, now)
        return [one.delivery_id for one in ledger.claim(session, taken, owner, now)] if taken else []


def states(database: Database) -> list[DeliveryState]:
    with database.read() as session:
        return list(session.scalars(select(Delivery.state).order_by(Delivery.id)))


def test_a_dead_workers_claims_are_settled_by_what_its_journal_says(database: Database, now: datetime) -> None:
    make_mailing(database)
    journal = Journal(DATA)
    first, second, _ = claim(database, journal.owner, now)
    journal.leaving(0, first)
    journal.settled(0, first, SENT)
    journal.leaving(0, second)
    journal.close()
    for testimony in dead_journals(DATA):
        with database.write() as session:
            settle_for(session, testimony, now, PATIENCE)
    assert states(database) == [DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.PENDING]


def test_after_the_machine_went_down_whatever_is_not_known_as_sent_is_in_doubt(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_mailing(database)
    journal = Journal(DATA)
    first, *_ = claim(database, journal.owner, now)
    journal.settled(0, first, SENT)
    journal.close()
    monkeypatch.setattr(journals, "_boot_id", lambda: b"another boot")
    (testimony,) = dead_journals(DATA)
    with database.write() as session:
        settle_for(session, testimony, now, PATIENCE)
    assert states(database) == [DeliveryState.SENT, DeliveryState.UNCERTAIN, DeliveryState.UNCERTAIN]


def test_a_testimony_heard_twice_changes_nothing_more(database: Database, now: datetime) -> None:
    make_mailing(database, EMAILS[:1])
    journal = Journal(DATA)
    claim(database, journal.owner, now)
    journal.close()
    (testimony,) = dead_journals(DATA)
    for _ in range(2):
        with database.write() as session:
            settle_for(session, testimony, now, PATIENCE)
    assert states(database) == [DeliveryState.PENDING]
    assert claim(database, "another", now) != []
    with database.write() as session:
        settle_for(session, testimony, now, PATIENCE)
    assert states(database) == [DeliveryState.CLAIMED]


@pytest.mark.parametrize(("soft_bounces", "suppressed"), [(1, [EMAILS[0]]), (2, [])])
def test_what_a_journal_says_was_refused_counts_as_the_settings_say(
    database: Database, now: datetime, soft_bounces: int, suppressed: list[str]
) -> None:
    make_mailing(database)
    journal = Journal(DATA)
    first, *_ = claim(database, journal.owner, now)
    journal.settled(0, first, Outcome(Verdict.REJECTED, "552 5.2.2 mailbox full"))
    journal.close()
    (testimony,) = dead_journals(DATA)
    with database.write() as session:
        settle_for(session, testimony, now, replace(PATIENCE, soft_bounces=soft_bounces))
    with database.read() as session:
        assert session.scalars(select(Suppression.address)).all() == suppressed
    assert states(database)[0] == DeliveryState.REJECTED


@pytest.mark.parametrize(("hours", "state"), [(2, DeliveryState.DEFERRED), (1, DeliveryState.REJECTED)])
def test_what_a_journal_says_was_put_off_is_tried_as_long_as_the_settings_say(
    database: Database, now: datetime, hours: int, state: DeliveryState
) -> None:
    make_mailing(database, EMAILS[:1])
    journal = Journal(DATA)
    first, *_ = claim(database, journal.owner, now)
    with database.write() as session:
        session.execute(update(Delivery).values(deferred_since=now - timedelta(hours=1, minutes=30)))
    journal.settled(0, first, Outcome(Verdict.DEFERRED, "451 4.7.1 later"))
    journal.close()
    (testimony,) = dead_journals(DATA)
    with database.write() as session:
        settle_for(session, testimony, now, replace(PATIENCE, retry_for=timedelta(hours=hours)))
    assert states(database) == [state]
