"""The Celery application and its beat schedule."""

from __future__ import annotations

import logging
import sys
from typing import Any

from celery import Task
from celery.signals import worker_init
from celery.utils.log import get_task_logger

from newsletter.config import load_settings
from newsletter.errors import NewsletterError
from newsletter.queue import FETCH_BOUNCES, FLUSH_EVENTS, FORGET_UNCONFIRMED, SEND_NOTICES, SWEEP, make_celery
from newsletter.sending.journal import Journal
from workers.schedule import Every

SWEEP_SECONDS = 1.0
FLUSH_SECONDS = 2.0
NOTICES_SECONDS = 5.0
FORGET_SECONDS = 60.0 * 60
FETCH_SECONDS = 2.0 * 60
# Told by the clocks of two machines, which may be apart.
EXPIRE_SECONDS = 2 * 60 * 60

logger = get_task_logger(__name__)


class OneLineTask(Task):
    """A server that is away, or a setting that is wrong, is told in one line: the next sweep tries again."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        try:
            return super().__call__(*arguments, **named)
        except NewsletterError as error:
            logger.warning("%s: %s", self.name, error)
            return None


@worker_init.connect
def _refuse_to_start_without_journal(**_: Any) -> None:
    """Each process will need one. This one is left to the first sweep, as that of a process that had nothing."""
    try:
        Journal(settings.data_dir).close()
    except NewsletterError as error:
        sys.exit(str(error))


# With a sweep every second, a line for each task would be most of the log.
for _name in ("celery.worker.strategy", "celery.app.trace", "celery.beat"):
    logging.getLogger(_name).setLevel(logging.WARNING)

settings = load_settings()
app = make_celery(settings)
app.Task = OneLineTask
app.conf.include = ["workers.tasks"]
# A sweep or flush that was not taken for long is dropped: a later one does its work.
_DROPPED = {"expires": EXPIRE_SECONDS}
app.conf.beat_schedule = {
    "sweep": {"task": SWEEP, "schedule": Every(SWEEP_SECONDS), "options": _DROPPED},
    "flush-events": {"task": FLUSH_EVENTS, "schedule": Every(FLUSH_SECONDS), "options": _DROPPED},
    "send-notices": {"task": SEND_NOTICES, "schedule": Every(NOTICES_SECONDS), "options": _DROPPED},
    "forget-unconfirmed": {"task": FORGET_UNCONFIRMED, "schedule": Every(FORGET_SECONDS), "options": _DROPPED},
}
if settings.bounce_fetch:
    app.conf.beat_schedule["fetch-bounces"] = {
        "task": FETCH_BOUNCES,
        "schedule": Every(FETCH_SECONDS),
        "options": _DROPPED,
    }
