"""`newsletter stats`, in a pipe and in a terminal."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import update

from newsletter.cli.charts import BAR_WIDTH, bar, skyline
from newsletter.db import Database
from newsletter.models import Delivery, DeliveryState, Mailing
from tests.factories import NOW, make_mailing
from tests.unit.cli.conftest import Cli
from tests.unit.stats.counted import (
    CLICK,
    CLIENT,
    DOMAIN,
    HOUR,
    ISSUE,
    LINK,
    MACHINE,
    OPEN,
    PERSON,
    PROXY,
    count,
)

COUNTED = (
    (OPEN, PERSON, ISSUE, "", 2, 3),
    (OPEN, PROXY, ISSUE, "", 1, 1),
    (CLICK, PERSON, ISSUE, "", 1, 2),
    (CLICK, MACHINE, ISSUE, "", 1, 40),
    (CLICK, PERSON, LINK, "1", 1, 2),
    (OPEN, PERSON, HOUR, "2026-03-13T07", 2, 2),
    (OPEN, PERSON, HOUR, "2026-03-13T09", 1, 1),
    (CLICK, PERSON, HOUR, "2026-03-13T09", 1, 2),
    (OPEN, PROXY, HOUR, "2026-03-13T11", 1, 1),
    (OPEN, PERSON, CLIENT, "Thunderbird", 2, 3),
    (OPEN, PROXY, CLIENT, "Gmail", 1, 1),
    (OPEN, PERSON, DOMAIN, "gmail.com", 2, 3),
)


@pytest.fixture
def mailing_id(world: Database) -> int:
    """A mailing to three readers, of whom two opened it, one of them twice, and one clicked, twice."""
    made = make_mailing(world, slug="samedi")
    with world.write() as session:
        session.execute(update(Delivery).values(state=DeliveryState.SENT, settled_at=NOW))
        session.execute(update(Mailing).values(started_at=NOW))
    count(world, made, *COUNTED)
    return made


def lines(out: str) -> list[str]:
    """Without colours, and without spaces where a column is wider."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    return [re.sub(r" {2,}", "  ", line.strip()) for line in plain.splitlines()]


def test_a_pipe_gets_tables_a_row_a_line_and_no_charts(cli: Cli, mailing_id: int) -> None:
    out = cli("stats", str(mailing_id)).success
    told = lines(out)
    for line in (
        "audience  3  –",
        "delivered  3  100.0%",
        "opened  2  66.7%",
        "opened by a proxy  1  33.3%",
        "clicked  1  33.3%",
        "left  0  0.0%",
        "Left out, by machines: opens 0, clicks 40, the link that no person sees 0.",
        "2026-03-13 09:00 UTC  1  2",
        "Thunderbird  2  0  0",
        "gmail.com  2  0  0",
    ):
        assert line in told
    assert not set("▏▎▍▌▋▊▉█▁▂▃▄▅▆▇") & set(out)
    assert "2026-03-13 11:00 UTC" not in out


def test_a_terminal_gets_bars_and_a_skyline_of_hours(
    cli: Cli, mailing_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = cli("stats", str(mailing_id)).success
    told = lines(out)
    assert f"delivered  3  100.0%  {'█' * BAR_WIDTH}" in told
    assert "left  0  0.0%" in told
    assert "opens  █ ▄  at most 2" in told
    assert "clicks  █  at most 2" in told
    assert max(map(len, out.splitlines())) < 140
    assert "At other times" not in out


def test_what_readers_do_after_two_days_is_told_beside_the_chart(
    cli: Cli, world: Database, mailing_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    count(
        world, mailing_id, (OPEN, PERSON, HOUR, "2026-03-16T08", 3, 4), (CLICK, PERSON, HOUR, "2026-03-15T07", 1, 1)
    )
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "At other times: 4 opens, 1 clicks." in lines(cli("stats", str(mailing_id)).success)


def test_a_terminal_without_such_characters_gets_tables(
    cli: Cli, mailing_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii:replace")
    told = lines(cli.process("stats", str(mailing_id)).success)
    assert "delivered  3  100.0%" in told
    assert "2026-03-13 09:00 UTC  1  2" in told


def test_a_mailing_without_any_event_says_so_in_noughts(cli: Cli, world: Database) -> None:
    made = make_mailing(world, slug="samedi")
    told = lines(cli("stats", str(made)).success)
    assert {"opened  0  –", "delivered  0  0.0%"} <= set(told)
    assert not [line for line in told if line.startswith(("Per hour", "read with", "Opens are", "Left out"))]


def test_json_holds_every_number_by_who_did_it(cli: Cli, mailing_id: int) -> None:
    facts = json.loads(cli("stats", str(mailing_id), "--json").success)
    assert facts["clicks"]["person"] == {"readers": 1, "events": 2}
    assert facts["clicks"]["machine"] == {"readers": 1, "events": 40}
    assert [one["name"] for one in facts["clients"]] == ["Thunderbird", "Gmail"]
    assert facts["tracked"] == facts["delivered"] == 3


def test_a_bar_shows_something_of_all_but_nothing_and_never_more_than_all() -> None:
    assert bar(0, 10) == bar(0, 0) == ""
    assert bar(1, 10**6) == "▏"
    assert bar(10, 10) == "█" * BAR_WIDTH
    assert [len(bar(value, 160)) for value in (8, 9, 159)] == [1, 2, BAR_WIDTH]


def test_a_skyline_has_a_column_a_value() -> None:
    assert skyline([]) == ""
    assert skyline([0, 0]) == "  "
    assert skyline([1, 0, 8, 4, 1000]) == "▁ ▁▁█"
