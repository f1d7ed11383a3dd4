"""The Celery application and its beat schedule."""

from __future__ import annotations

from newsletter.config import load_settings
from newsletter.queue import FLUSH_EVENTS, SWEEP, make_celery

SWEEP_SECONDS = 1.0
FLUSH_SECONDS = 2.0
EXPIRE_SECONDS = 6.0

settings = load_settings()
app = make_celery(settings)
app.conf.include = ["workers.tasks"]
# A sweep or flush that was not taken in time is dropped: a later one does its work.
_DROPPED = {"expires": EXPIRE_SECONDS}
app.conf.beat_schedule = {
    "sweep": {"task": SWEEP, "schedule": SWEEP_SECONDS, "options": _DROPPED},
    "flush-events": {"task": FLUSH_EVENTS, "schedule": FLUSH_SECONDS, "options": _DROPPED},
}
