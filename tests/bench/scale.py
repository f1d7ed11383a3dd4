"""`make bench-scale`: what grows with the size of a list: the same engine on a mailing ten times as large.

Needs `smtp-sink` (Debian: postfix). The whole form sends to 100,000 and to 1,000,000 recipients.
"""

from __future__ import annotations

import sys

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


if __name__ == "__main__":
    main(sys.argv[1:])
