"""The judge at work: a log with known doers goes through the buffer's own events into SQL."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy import select

from newsletter.db import Database
from newsletter.models import Event, EventKind, Tracking, Verdict
from tests.factories import NOW
from tests.unit.tracking.log import flush_all, noted, send
from tests.unit.tracking.recount import recounted, rolled_up
from tests.unit.tracking.simulation import Simulation
from tests.unit.tracking.test_verdict_on_a_log import Tally, share

READERS = 3_000


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("tracking", [Tracking.AGGREGATE, Tracking.INDIVIDUAL])
def test_of_peoples_clicks_95_in_100_are_kept_in_sql_and_of_machines_95_in_100_caught(
    database: Database, tracking: Tracking
) -> None:
    log = Simulation(6, READERS, NOW).run()
    mailing_id = send(database, log, tracking)
    events = noted(database, mailing_id, log.lines)
    flush_all(database, [event for event, _ in events.values()], 500)
    tally: Tally = Counter()
    with database.read() as session:
        for source, kind, verdict in session.execute(select(Event.source, Event.kind, Event.verdict)):
            tally[kind, events[source][1].who, verdict] += 1
        assert rolled_up(session, mailing_id) == recounted(session, mailing_id)
    assert sum(tally.values()) == len(log.lines)
    assert share(tally, EventKind.CLICK, "person", Verdict.PERSON) >= 0.95
    assert share(tally, EventKind.CLICK, "scanner", Verdict.MACHINE) >= 0.95
    assert share(tally, EventKind.OPEN, "person", Verdict.PERSON) >= 0.99
    assert share(tally, EventKind.OPEN, "proxy", Verdict.PROXY) == 1.0
