"""Those who left while SQL was away, taken off their lists: with the events, and before anything is claimed."""

from __future__ import annotations

from newsletter.db import Database
from newsletter.feedback.leaving import let_leave
from newsletter.tracking.departures import Departures


def let_all_leave(database: Database, departures: Departures) -> None:
    """Do what readers were promised. Raises UnavailableError: who cannot know who left must not send."""
    while waiting := departures.waiting():
        with database.write() as session:
            # In the order in which whoever flushes events takes mailings too: nobody waits for each other.
            for departure in sorted(waiting, key=lambda one: one.target):
                let_leave(session, departure)
        departures.drop(waiting)
