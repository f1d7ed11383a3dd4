"""Thin tasks: each opens its transactions, calls a room, and enqueues only after the commit."""

from __future__ import annotations

from newsletter import queue
from newsletter.clock import utc_now
from newsletter.sending import deliver as delivering
from newsletter.sending.journal import dead_journals
from newsletter.sending.plan import Batch, plan
from newsletter.sending.settle import settle_for
from newsletter.sending.sweep import due_mailings, sweep
from newsletter.tracking.events import flush
from workers.celery import app
from workers.resources import resources


@app.task(name=queue.PLAN)
def plan_mailing(mailing_id: int) -> None:
    with resources().database.write() as session:
        batches = plan(session, mailing_id, utc_now())
    _enqueue(batches)


@app.task(name=queue.DELIVER)
def deliver_batch(mailing_id: int, first_id: int, last_id: int) -> None:
    mine = resources()
    delivering.deliver(
        mine.database,
        Batch(mailing_id, first_id, last_id),
        mine.transport,
        mine.builder,
        mine.journal,
        utc_now,
    )


@app.task(name=queue.SWEEP)
def sweep_ledger() -> None:
    mine = resources()
    for testimony in dead_journals(mine.settings.data_dir):
        with mine.database.write() as session:
            settle_for(session, testimony, utc_now())
    with mine.database.read() as session:
        due = due_mailings(session, utc_now())
    for mailing_id in due:
        mine.queue.put(queue.PLAN, mailing_id)
    # While tasks wait, what is due is most likely among them; enqueueing it again would only lengthen the queue.
    if mine.queue.waiting() == 0:
        with mine.database.write() as session:
            batches = sweep(session, utc_now())
        _enqueue(batches)


@app.task(name=queue.FLUSH_EVENTS)
def flush_events() -> None:
    mine = resources()
    while events := mine.events.oldest():
        with mine.database.write() as session:
            flush(session, events)
        mine.events.drop(events)


def _enqueue(batches: list[Batch]) -> None:
    for batch in batches:
        resources().queue.put(queue.DELIVER, batch.mailing_id, batch.first_id, batch.last_id)
