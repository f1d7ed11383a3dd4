from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from newsletter.db import Database
from newsletter.errors import ConflictError, NotFoundError
from newsletter.models import Event, EventKind, Facet, Mailing, Rollup, Tracking, Verdict
from newsletter.tracking.deliveries import find_recipient, record_unsubscribe
from newsletter.tracking.recount import recount
from newsletter.tracking.tokens import Target
from tests.factories import NOW
from tests.unit.tracking.log import flush_all, noted, send
from tests.unit.tracking.recount import Counts, recounted, rolled_up
from tests.unit.tracking.simulation import Simulation

READERS = 150
Judged = dict[str, tuple[Verdict, str]]


@pytest.fixture(params=[Tracking.AGGREGATE, Tracking.INDIVIDUAL])
def mailing_id(request: pytest.FixtureRequest, database: Database) -> int:
    """A mailing whose readers did much, and one of whom left."""
    log = Simulation(7, READERS, NOW).run()
    number = send(database, log, request.param)
    events = [event for event, _ in noted(database, number, log.lines).values()]
    flush_all(database, events, 400)
    with database.write() as session:
        recipient = find_recipient(session, Target(number, events[0].delivery_id))
        assert recipient is not None
        record_unsubscribe(session, recipient, "Browser", NOW)
    return number


def judged(database: Database) -> Judged:
    with database.read() as session:
        rows = session.execute(select(Event.source, Event.verdict, Event.verdict_reason))
        return {source: (verdict, reason) for source, verdict, reason in rows}


def counts(database: Database, mailing_id: int) -> Counts:
    with database.read() as session:
        return rolled_up(session, mailing_id)


def forget_verdicts(database: Database) -> None:
    """What rests on who else came from an address cannot be found again."""
    with database.write() as session:
        found = Event.verdict_reason.not_in(("crowd", "network"))
        session.execute(update(Event).where(found).values(verdict=Verdict.PERSON, verdict_reason=""))


def test_counting_again_changes_nothing_that_was_right(database: Database, mailing_id: int) -> None:
    before = judged(database), counts(database, mailing_id)
    recount(database, mailing_id, NOW)
    assert (judged(database), counts(database, mailing_id)) == before


def test_verdicts_and_rollups_come_out_of_the_events_again(database: Database, mailing_id: int) -> None:
    before = judged(database), counts(database, mailing_id)
    forget_verdicts(database)
    with database.write() as session:
        session.execute(delete(Rollup).where(Rollup.facet == Facet.LINK))
        session.execute(update(Rollup).where(Rollup.facet == Facet.DOMAIN).values(readers=1))
    done = recount(database, mailing_id, NOW)
    assert (judged(database), counts(database, mailing_id)) == before
    assert done.verdicts
    assert done.counts


def test_where_nobody_can_tell_readers_apart_any_more_what_was_judged_stays(
    database: Database, mailing_id: int
) -> None:
    before = judged(database), counts(database, mailing_id)
    with database.write() as session:
        session.execute(update(Mailing).values(reader_salt=None))
        session.execute(update(Event).values(ip=None))
    recount(database, mailing_id, NOW)
    same = {source for source, ruling in judged(database).items() if ruling == before[0][source]}
    # Without its address one client is another's like, if they are of one make.
    assert len(same) >= 0.99 * len(before[0])
    with database.read() as session:
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)


def test_what_was_counted_and_is_no_longer_kept_stays_counted(database: Database, mailing_id: int) -> None:
    before = counts(database, mailing_id)
    with database.write() as session:
        session.execute(delete(Event).where(Event.occurred_at < NOW + timedelta(minutes=10)))
    left = judged(database)
    with pytest.raises(ConflictError, match=rf"of the events of mailing {mailing_id} are no longer kept"):
        recount(database, mailing_id, NOW)
    assert (judged(database), counts(database, mailing_id)) == (left, before)


def test_two_who_count_again_at_once_come_to_what_is_right(database: Database, mailing_id: int) -> None:
    before = counts(database, mailing_id)
    forget_verdicts(database)
    with database.write() as session:
        session.execute(delete(Rollup))

    def run(number: int) -> None:
        with suppress(ConflictError):
            recount(database, mailing_id, NOW + timedelta(seconds=number))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    assert counts(database, mailing_id) == before


def test_events_without_a_reader_are_counted_again_too(database: Database, mailing_id: int) -> None:
    with database.write() as session:
        opens = Event.kind == EventKind.OPEN
        session.execute(update(Event).where(opens).values(reader="", delivery_id=None))
    recount(database, mailing_id, NOW)
    with database.read() as session:
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)


def test_a_mailing_that_never_was_is_named(database: Database) -> None:
    with pytest.raises(NotFoundError, match="there is no mailing 9"):
        recount(database, 9, NOW)
