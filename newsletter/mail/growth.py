"""When another connection pays: while the thread waits for a server that is far and grants one."""

from __future__ import annotations

WEIGH_SECONDS = 0.05
# So many connections keep both sides at work however near the server is.
FEW = 4
# More of them hide the distance of a server whose answers take longer than this,
FAR_SECONDS = 0.003
# as long as the thread has time to spare: this part of all.
SPARE = 0.2
# For how long a server that refused a further connection is not asked for one.
CROWDED_SECONDS = 60.0


class Growth:
    """Weighs waiting against work; all times are monotonic seconds."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._granted = most
        self._crowded_until = 0.0
        self._weighed_at = 0.0
        self._waited = 0.0
        self._answers = 0

    def is_possible(self, connections: int, now: float) -> bool:
        """Whether there may be more connections than there are."""
        return connections < (self._granted if now < self._crowded_until else self._most)

    def note(self, waited: float, answers: int) -> None:
        """So many seconds were spent waiting, then so many connections had an answer."""
        self._waited += waited
        self._answers += answers

    def is_due(self, connections: int, now: float) -> bool:
        """Whether another connection would have helped since this was last weighed."""
        seconds = now - self._weighed_at
        if seconds < WEIGH_SECONDS:
            return False
        is_far = connections * seconds > FAR_SECONDS * self._answers
        has_time = self._waited > SPARE * seconds
        self._weighed_at, self._waited, self._answers = now, 0.0, 0
        return has_time and (is_far or connections < FEW)

    def refused(self, connections: int, now: float) -> None:
        """The server grants no more than so many for now."""
        self._granted = connections
        self._crowded_until = now + CROWDED_SECONDS
