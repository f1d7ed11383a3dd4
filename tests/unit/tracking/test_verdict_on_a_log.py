from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace

import pytest

from newsletter.models import EventKind, Verdict
from newsletter.tracking.crowds import Crowds
from newsletter.tracking.verdict import Sighting, judge
from tests.factories import NOW
from tests.unit.tracking.simulation import LINKS, Log, Seen, Simulation

READERS = 6_000
Tally = Counter[tuple[EventKind, str, Verdict]]


def judged(log: Log, *, with_addresses: bool) -> Tally:
    """How often what was whose doing was judged to be whose."""
    visits = ((line.ip, line.reader, line.at) for line in log.lines if line.kind is not EventKind.OPEN)
    crowds = Crowds(visits if with_addresses else ())
    by_reader: dict[int, list[Seen]] = defaultdict(list)
    for line in log.lines:
        by_reader[line.reader].append(line)
    tally: Tally = Counter()
    for reader, lines in by_reader.items():
        sightings = [
            Sighting(
                line.kind,
                line.at,
                line.user_agent,
                line.method,
                line.ip if with_addresses else None,
                line.link,
                crowds.holds(line.ip, line.at),
            )
            for line in lines
        ]
        rulings = judge(sightings, log.delivered[reader], LINKS)
        tally.update((line.kind, line.who, verdict) for line, (verdict, _) in zip(lines, rulings, strict=True))
    return tally


def share(tally: Tally, kind: EventKind, who: str, verdict: Verdict) -> float:
    """Of what somebody did, how much was judged so."""
    return tally[kind, who, verdict] / sum(tally[kind, who, any_] for any_ in Verdict)


@pytest.mark.parametrize("seed", range(1, 6))
@pytest.mark.parametrize("with_addresses", [True, False], ids=["individual", "aggregate"])
def test_of_peoples_clicks_95_in_100_are_kept_and_of_machines_95_in_100_caught(
    seed: int, with_addresses: bool
) -> None:
    log = Simulation(seed, READERS, NOW).run()
    tally = judged(log, with_addresses=with_addresses)
    assert share(tally, EventKind.CLICK, "person", Verdict.PERSON) >= 0.95
    assert share(tally, EventKind.CLICK, "scanner", Verdict.MACHINE) >= 0.95
    assert not any(tally[EventKind.CLICK, who, Verdict.PROXY] for who in ("person", "proxy", "scanner"))


@pytest.mark.parametrize("seed", range(1, 6))
def test_opens_by_proxies_are_told_from_peoples_and_machines_opens_mostly_caught(seed: int) -> None:
    tally = judged(Simulation(seed, READERS, NOW).run(), with_addresses=True)
    assert share(tally, EventKind.OPEN, "proxy", Verdict.PROXY) == 1.0
    assert share(tally, EventKind.OPEN, "person", Verdict.PERSON) >= 0.99
    # What loads pictures like a person and is caught at nothing else stays a person's.
    assert share(tally, EventKind.OPEN, "scanner", Verdict.MACHINE) >= 0.7


def test_judged_again_when_the_time_of_delivery_is_gone_everything_stays_as_it_was_judged() -> None:
    log = Simulation(4, 1_000, NOW).run()
    by_reader: dict[int, list[Sighting]] = defaultdict(list)
    for line in log.lines:
        seen = Sighting(line.kind, line.at, line.user_agent, line.method, link_number=line.link)
        by_reader[line.reader].append(seen)
    for reader, sightings in by_reader.items():
        rulings = judge(sightings, log.delivered[reader], LINKS)
        known = [replace(seen, before=reason) for seen, (_, reason) in zip(sightings, rulings, strict=True)]
        assert judge(known, None, LINKS) == rulings
