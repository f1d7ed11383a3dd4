"""`newsletter stats`, in a pipe and in a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from newsletter.cli.charts import BAR_WIDTH, bar, skyline
from newsletter.cli.domains import NAMED, SHOWN
from newsletter.clock import utc_now
from newsletter.db import Database
from newsletter.models import Delivery, DeliveryState, Mailing
from newsletter.stats.arrivals import FEWEST
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
    add_signal,
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
    assert "opens  █ ▄  highest 2" in told
    assert "clicks  █  highest 2" in told
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


def bounce(session: Session, mailing_id: int, delivery_ids: Sequence[int]) -> None:
    """Their addresses are gone."""
    for number in delivery_ids:
        add_signal(session, mailing_id, number, "bounce", "hard", "unknown-user", str(number))


def test_domains_are_told_with_a_warning_that_says_what_to_do(cli: Cli, world: Database) -> None:
    emails = [f"reader{number}@gmail.com" for number in range(40)]
    made = make_mailing(world, emails, slug="samedi")
    with world.write() as session:
        session.execute(update(Mailing).values(started_at=NOW))
        session.execute(update(Delivery).values(state=DeliveryState.SENT, settled_at=NOW))
        bounce(session, made, session.scalars(select(Delivery.id).limit(3)).all())
    days = str((utc_now() - NOW).days + 1)
    ran = cli("stats", "--domains", "--days", days)
    assert ran.status == 0
    assert "gmail.com  40  0  0  3  0  0  –  –" in lines(ran.out)
    advice, *about = ran.err.splitlines()
    assert advice.startswith("warning: More than 2% of addresses that are gone harm a sender.")
    assert about == ["  gmail.com: 7.5% of the messages went to addresses that are gone"]
    facts = json.loads(cli("stats", "--domains", "--days", days, "--json").success)
    assert facts["mailings"] == [made]
    assert facts["domains"][0] | {"domain": "gmail.com", "sent": 40, "hard": 3, "opened": None} == facts["domains"][0]
    (warning,) = facts["warnings"]
    assert (warning["domain"], warning["subject"]) == ("gmail.com", "hard-bounces")
    assert warning["advice"] in advice


def test_of_very_many_domains_the_largest_are_shown(cli: Cli, world: Database) -> None:
    emails = [f"reader{number}@d{place:02}.example" for place in range(SHOWN + 2) for number in range(FEWEST)]
    made = make_mailing(world, emails, slug="samedi")
    with world.write() as session:
        session.execute(update(Mailing).values(started_at=utc_now()))
        session.execute(update(Delivery).values(state=DeliveryState.REJECTED))
        bounce(session, made, session.scalars(select(Delivery.id)).all())
    ran = cli("stats", "--domains")
    told = lines(ran.out)
    assert len(told) == SHOWN + 3
    assert told[-1] == "2 more domains: --json has them all."
    assert ran.err.splitlines()[-1] == f"  {SHOWN + 2 - NAMED} more domains: --json has them all"


@pytest.mark.usefixtures("world")
def test_without_a_mailing_in_these_days_there_are_no_domains(cli: Cli) -> None:
    assert cli("stats", "--domains").success == "No mailing began in the last 30 days: --days looks further back.\n"
    assert json.loads(cli("stats", "--domains", "--json").success)["domains"] == []


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show",), "give a mailing's number (`newsletter mailing ls` lists them) or --domains, one of both"),
        (("1", "--domains"), "one of both"),
        (("1", "--days", "7"), "--days goes with --domains"),
        (("--domains", "--days", "0"), "--days"),
    ],
)
def test_what_does_not_go_together_is_said_in_one_line(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    assert words in cli.refused("stats", *arguments)
