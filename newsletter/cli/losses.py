"""What was answered and could not be kept while the event buffer was away, told to people and to programs."""

from __future__ import annotations

import time
from collections import Counter

from newsletter.cli.output import say
from newsletter.cli.progress import counted
from newsletter.config import Settings
from newsletter.errors import UnavailableError
from newsletter.queue import make_redis
from newsletter.tracking.buffer import EventBuffer

PATIENCE_SECONDS = 0.5
LOOK_SECONDS = 1.0


def lost_events(settings: Settings, mailing_id: int) -> int | None:
    """How many events of a mailing, at most, were lost; None where the buffer does not answer."""
    lost = _ask(settings)
    return None if lost is None else lost[mailing_id]


def say_lost_events(settings: Settings, mailing_id: int) -> None:
    """A line where events of a mailing were lost, or may have been."""
    lost = lost_events(settings, mailing_id)
    if lost is None:
        say("\nThe event buffer does not answer: whether events were lost is not known.")
    elif lost:
        say(f"\n{_told(lost)}.")


class LossWatch:
    """Notices losses as they are told to the buffer."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known = _ask(settings)
        self._looks_at = time.monotonic() + LOOK_SECONDS

    def news(self) -> list[str]:
        """A line for each mailing that lost events since the last look, at most once a second."""
        if time.monotonic() < self._looks_at:
            return []
        self._looks_at = time.monotonic() + LOOK_SECONDS
        lost = _ask(self._settings)
        if lost is None:
            return []
        before, self._known = self._known or Counter(), lost
        return [f"mailing {mailing_id}: {_told(count)}" for mailing_id, count in sorted((lost - before).items())]


def _told(lost: int) -> str:
    was = "was" if lost == 1 else "were"
    return f"{counted(lost, 'event')} {was} answered but could not be kept (the buffer was away)"


def _ask(settings: Settings) -> Counter[int] | None:
    buffer = EventBuffer(make_redis(settings, PATIENCE_SECONDS))
    try:
        return buffer.lost()
    except UnavailableError:
        return None
    finally:
        buffer.close()
