from __future__ import annotations

import pytest
from sqlalchemy import delete, update

from newsletter.db import Database
from newsletter.models import Event, Verdict
from tests.factories import NOW
from tests.unit.cli.conftest import Cli
from tests.unit.tracking.log import flush_all, noted, send
from tests.unit.tracking.simulation import Simulation


@pytest.fixture
def mailing_id(world: Database) -> int:
    log = Simulation(9, 20, NOW).run()
    number = send(world, log, slug="samedi")
    flush_all(world, [event for event, _ in noted(world, number, log.lines).values()], 500)
    with world.write() as session:
        session.execute(update(Event).values(verdict=Verdict.PERSON))
    return number


def test_counts_are_made_again_and_it_says_how_much_was_wrong(cli: Cli, mailing_id: int) -> None:
    out = cli("stats", "recompute", str(mailing_id)).success
    assert out.startswith(f"Mailing {mailing_id}: ")
    assert not out.startswith(f"Mailing {mailing_id}: 0 verdicts")
    assert cli("stats", "recompute", "--all").success == (
        f"Mailing {mailing_id}: 0 verdicts changed, 0 counts put right.\n"
    )


def test_what_cannot_be_counted_again_is_refused_and_passed_over_by_all(
    cli: Cli, world: Database, mailing_id: int
) -> None:
    with world.write() as session:
        session.execute(delete(Event))
    assert "are no longer kept" in cli.refused("stats", "recompute", str(mailing_id))
    assert "left as it is" in cli("stats", "recompute", "--all").success


@pytest.mark.parametrize("arguments", [(), ("3", "--all")])
def test_either_a_mailing_or_all_of_them(cli: Cli, arguments: tuple[str, ...]) -> None:
    assert "or --all, one of both" in cli.refused("stats", "recompute", *arguments)


def test_a_number_alone_still_asks_what_came_of_a_mailing(cli: Cli, mailing_id: int) -> None:
    assert cli("stats", str(mailing_id)).success == cli("stats", "show", str(mailing_id)).success
