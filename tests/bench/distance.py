"""`make bench-distance`: a mailing through the whole engine to a server that is 20 ms of round trip away.

The same relay stands between in both runs, once without delay. Needs `smtp-sink` (Debian: postfix).
"""

from __future__ import annotations

import sys

from tests.bench.figures import Figure, report
from tests.bench.world import World

RECIPIENTS, QUICK_RECIPIENTS = 60_000, 20_000
ONE_WAY_SECONDS = 0.010


def main(arguments: list[str]) -> None:
    count = QUICK_RECIPIENTS if "--quick" in arguments else RECIPIENTS
    near, far = (_rate(count, seconds) for seconds in (0.0, ONE_WAY_SECONDS))
    print(f"{near:,.0f} messages/s next door; {far:,.0f} at 20 ms")
    report([Figure("rate_at_20_ms", far / near, "times", 0.5)])


def _rate(count: int, one_way_seconds: float) -> float:
    with World(relay_seconds=one_way_seconds) as world:
        return world.send(world.schedule(count)).rate


if __name__ == "__main__":
    main(sys.argv[1:])
