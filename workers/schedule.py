"""When beat puts its tasks: every so many seconds as they go by, whatever the clock is set to meanwhile."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from celery.schedules import schedstate, schedule

from newsletter.clock import utc_now

_STARTED, _STARTED_AT = time.monotonic(), utc_now()


class Every(schedule):
    """So many seconds apart. By the clock alone, beat would be silent for as long as the clock was set back."""

    def now(self) -> datetime:
        """The time when beat started, and what has gone by since."""
        return _STARTED_AT + timedelta(seconds=time.monotonic() - _STARTED)

    def is_due(self, last_run_at: datetime) -> schedstate:
        """Whether it is time, and the seconds until then or until the next time."""
        if last_run_at > self.now():
            # The clock was set back between an earlier beat and this one.
            return schedstate(is_due=True, next=self.seconds)
        return super().is_due(last_run_at)
