"""`make bench-scale`: what grows with the size of a list: the same engine on a mailing ten times as large.

Needs `smtp-sink` (Debian: postfix). The whole form sends to 100,000 and to 1,000,000 recipients.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.orm import Session

from newsletter.clock import utc_now
from newsletter.sending.prune import keep_receipt, prune_batch
from newsletter.sending.receipt import make_receipt
from newsletter.sending.verify import verify
from newsletter.stats.progress import progress
from tests.bench.figures import Figure, report
from tests.bench.world import World

SMALL, LARGE = 100_000, 1_000_000
QUICK_SMALL, QUICK_LARGE = 10_000, 100_000


def main(arguments: list[str]) -> None:
    small, large = (QUICK_SMALL, QUICK_LARGE) if "--quick" in arguments else (SMALL, LARGE)
    with World() as world:
        mailings = [world.schedule(count) for count in (small, large)]
        runs = [world.send(mailing_id) for mailing_id in mailings]
        peak = world.worker_peak_bytes
        _books(world, mailings[1], large)
    for run in runs:
        print(
            f"{run.messages:,} recipients: planned in {run.plan_seconds:.1f} s, {run.rate:,.0f} messages/s, "
            f"{run.worker_cpu / run.messages * 1e3:.3f} ms of the workers' CPU a message, "
            f"{run.postgres_cpu / run.messages * 1e3:.3f} ms of PostgreSQL's"
        )
    first, second = runs
    report(
        [
            Figure("rate_at_ten_times_the_size", second.rate / first.rate, "times", 0.9),
            Figure("plan_a_million", second.plan_seconds * LARGE / second.messages, "s", 20, at_most=True),
            Figure("worker_resident", peak / 1e6, "MB", 150, at_most=True),
        ]
    )


def _books(world: World, mailing_id: int, count: int) -> None:
    """How long it takes to look at a large mailing, and how much room it takes before and after it is pruned."""

    def bytes_of(table: str) -> int:
        with world.database.read() as session:
            size = text("SELECT pg_total_relation_size(:table)")
            return int(session.execute(size, {"table": table}).scalar_one())

    def seconds(look: Callable[[Session], object]) -> float:
        began = time.monotonic()
        with world.database.write() as session:
            look(session)
        return time.monotonic() - began

    looking = seconds(lambda session: progress(session, mailing_id, utc_now()))
    verifying = seconds(lambda session: verify(session, make_receipt(session, mailing_id)))
    print(f"{count:,} recipients: progress in {looking:.2f} s, verified in {verifying:.1f} s")
    full = bytes_of("deliveries")
    pruning = seconds(lambda session: keep_receipt(session, mailing_id, utc_now()))
    pruned = 1
    while pruned:
        began = time.monotonic()
        with world.database.write() as session:
            pruned = prune_batch(session, mailing_id)
        pruning += time.monotonic() - began
    with world.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM deliveries, batches")
    print(
        f"{count:,} recipients: {full / 1e6:,.0f} MB of deliveries, verified and pruned in {pruning:.1f} s; "
        f"{bytes_of('batches') / 1e6:,.0f} MB of batches stay"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
