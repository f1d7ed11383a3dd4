"""Thin tasks: each opens its transactions, calls a room, and enqueues only after the commit."""

from __future__ import annotations

import time

from celery.utils.log import get_task_logger

from newsletter import queue
from newsletter.audience.signup import forget_unconfirmed
from newsletter.db import moment
from newsletter.errors import UnavailableError
from newsletter.feedback.fetch import fetch_bounces
from newsletter.sending.deliver import deliver, settle_up
from newsletter.sending.journal import dead_journals, living_owners
from newsletter.sending.plan import plan
from newsletter.sending.recover import settle_for
from newsletter.sending.sweep import due_mailings, sweep
from newsletter.tracking.deliveries import link_targets
from newsletter.tracking.flush import flush
from workers.celery import SWEEP_SECONDS, app
from workers.leaving import let_all_leave
from workers.resources import resources

logger = get_task_logger(__name__)

# More tasks than this need not wait: those that find work put themselves back.
TASKS_WAITING = 16


@app.task(name=queue.PLAN)
def plan_mailing(mailing_id: int) -> None:
    mine = resources()
    with mine.database.write() as session:
        planned = plan(session, mailing_id, moment(session))
        targets = link_targets(session, mailing_id)
    if planned:
        mine.targets.fill(mailing_id, targets)
        _call_workers()


@app.task(name=queue.DELIVER)
def deliver_due() -> None:
    mine = resources()
    more = False
    try:
        more = deliver(mine.desk, mine.transport)
    except UnavailableError as error:
        logger.warning("%s: %s", queue.DELIVER, error)
    finally:
        settle_up(mine.desk)
    if more:
        mine.queue.put(queue.DELIVER)


@app.task(name=queue.SWEEP)
def sweep_ledger() -> None:
    mine = resources()
    # While no worker ran, beat has put many: one of them will do.
    if time.monotonic() < mine.sweeps_at:
        return
    mine.sweeps_at = time.monotonic() + SWEEP_SECONDS / 2
    mine.desk.books.open()
    data_dir = mine.settings.data_dir
    for testimony in dead_journals(data_dir):
        with mine.database.write() as session:
            settle_for(session, testimony, moment(session), mine.patience)
    with mine.database.read() as session:
        due = due_mailings(session, moment(session))
    for mailing_id in due:
        mine.queue.put(queue.PLAN, mailing_id)
    with mine.database.write() as session:
        sweep(session, moment(session), mine.patience, alive=living_owners(data_dir))
    _call_workers()


@app.task(name=queue.FLUSH_EVENTS)
def flush_events() -> None:
    mine = resources()
    let_all_leave(mine.database, mine.departures)
    while events := mine.events.oldest():
        with mine.database.write() as session:
            flush(session, events)
        mine.events.drop(events)


@app.task(name=queue.SEND_NOTICES)
def send_notices() -> None:
    mine = resources()
    mine.postman.send_due(mine.transport)


@app.task(name=queue.FORGET_UNCONFIRMED)
def forget_unconfirmed_sign_ups() -> None:
    with resources().database.write() as session:
        forget_unconfirmed(session, moment(session))


@app.task(name=queue.FETCH_BOUNCES)
def fetch_from_mailbox() -> None:
    mine = resources()
    fetched = fetch_bounces(mine.settings, mine.database)
    if fetched.read:
        logger.info("%s: %s", queue.FETCH_BOUNCES, fetched)


def _call_workers() -> None:
    """Have as many tasks wait as there are batches that may go now, up to a number."""
    mine = resources()
    with mine.database.read() as session:
        batches = mine.dispatcher.waiting(session, moment(session), TASKS_WAITING)
    for _ in range(batches - mine.queue.waiting()):
        mine.queue.put(queue.DELIVER)
