"""Scheduling and looking at mailings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.db import Database
from newsletter.resources import SAMPLE_ISSUE
from tests.factories import make_mailing
from tests.unit.cli.conftest import LATER, Cli


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("at", "words"),
    [
        ("vendredi", "is not a time such as 2026-03-13T08:00"),
        ("2026-13-01T08:00", "is not a time such as"),
        ("", "is not a time such as"),
        ("2020-01-03T08:00", "is past; leave --at out to send now"),
        ("2020-01-03T08:00+06:00", "is past"),
    ],
)
def test_a_time_that_is_none_or_past_is_refused(cli: Cli, at: str, words: str) -> None:
    complaint = cli.refused("send", SAMPLE_ISSUE, "--list", "vendredi", "--at", at)
    assert complaint.startswith("--at: ")
    assert words in complaint


@pytest.mark.usefixtures("world")
def test_a_time_is_meant_in_the_publication_s_zone(cli: Cli) -> None:
    assert "at 2090-01-06 07:00 UTC" in cli("send", SAMPLE_ISSUE, "--list", "vendredi", "--at", LATER).success
    zoned = cli("send", SAMPLE_ISSUE, "--list", "vendredi", "--at", f"{LATER}+05:00")
    assert "at 2090-01-06 03:00 UTC" in zoned.success


@pytest.mark.usefixtures("world")
def test_a_list_with_nobody_on_it_is_refused(cli: Cli) -> None:
    complaint = cli.refused("send", SAMPLE_ISSUE, "--list", "vide", "--at", LATER)
    assert complaint == "nobody is on the list “vide”: import subscribers first"


@pytest.mark.usefixtures("world")
def test_an_unknown_list_is_answered_with_those_there_are(cli: Cli) -> None:
    for at in (LATER, f"{LATER}Z"):
        assert "there are vendredi, vide" in cli.refused("send", SAMPLE_ISSUE, "--list", "samedi", "--at", at)


@pytest.mark.usefixtures("world")
def test_a_mailing_that_is_kept_is_not_reported_as_failed_when_the_broker_goes_away(cli: Cli) -> None:
    a_moment_ago = (datetime.now(UTC) - timedelta(seconds=20)).isoformat(timespec="seconds")
    ran = cli("send", SAMPLE_ISSUE, "--list", "vendredi", "--at", a_moment_ago)
    assert ran.status == 0
    assert ran.err.startswith("warning: the broker ")
    assert "mailing 1 is scheduled and begins once a worker runs" in ran.err
    assert len(cli.rows()["mailings"]) == 1


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("command", [("mailing", "show"), ("stats",), ("stats", "--json")])
def test_an_unknown_mailing_is_answered_with_the_command_that_lists_them(cli: Cli, command: tuple[str, ...]) -> None:
    assert cli.refused(*command, "56") == "there is no mailing 56: `newsletter mailing ls` lists them"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("number", ["56b", "0", "99999999999999999999"])
def test_a_number_that_no_mailing_can_have_is_refused(cli: Cli, number: str) -> None:
    assert "newsletter stats --help" in cli.refused("stats", number)
    assert "newsletter mailing show --help" in cli.refused("mailing", "show", number)


def test_json_of_mailings_can_be_read_by_programs(cli: Cli, world: Database) -> None:
    mailing_id = make_mailing(world, slug="samedi")
    shown = json.loads(cli("mailing", "show", str(mailing_id), "--json").success)
    assert shown == json.loads(cli("stats", str(mailing_id), "--json").success)
    assert json.loads(cli("mailing", "ls", "--json").success) == [shown]
    assert (shown["mailing_id"], shown["list_slug"], shown["status"]) == (mailing_id, "samedi", "sending")
    assert shown["audience"] == 3
    assert shown["states"] == {"pending": 3}
    assert [link["number"] for link in shown["links"]] == list(range(1, len(shown["links"]) + 1))


@pytest.mark.usefixtures("world")
def test_json_of_what_send_did_can_be_read_by_programs(cli: Cli) -> None:
    sent = json.loads(cli("send", SAMPLE_ISSUE, "--list", "vendredi", "--at", LATER, "--json").success)
    assert sent["status"] == "scheduled"
    assert sent["due_at"] == "2090-01-06T07:00:00+00:00"
    assert sent["audience"] is None


@pytest.mark.usefixtures("world")
def test_json_of_lists_and_publications_can_be_read_by_programs(cli: Cli) -> None:
    lists = json.loads(cli("list", "ls", "--json").success)
    assert [(one["slug"], one["active"], one["unsubscribed"]) for one in lists] == [
        ("vendredi", 1, 0),
        ("vide", 0, 0),
    ]
    (publication,) = json.loads(cli("publication", "ls", "--json").success)
    assert publication["slug"] == "hebdo"
    assert publication["timezone"] == "Europe/Brussels"


def test_json_of_an_upgrade_can_be_read_by_programs(cli: Cli) -> None:
    first = json.loads(cli("db", "upgrade", "--json").success)
    again = json.loads(cli("db", "upgrade", "--json").success)
    assert first["before"] is None
    assert first["after"] == again["before"] == again["after"]


def test_tables_show_the_same_facts_to_people(cli: Cli, world: Database) -> None:
    mailing_id = make_mailing(world, slug="samedi")
    for command in (("mailing", "ls"), ("mailing", "show", str(mailing_id)), ("stats", str(mailing_id))):
        assert "Kazakhstan" in cli(*command).success
    assert "Not closed yet" in cli("stats", str(mailing_id)).success
    assert "vendredi" in cli("list", "ls").success
    assert "redaction@hebdo.example" in cli("publication", "ls").success


def test_a_table_in_a_pipe_has_one_line_a_row(cli: Cli, world: Database) -> None:
    make_mailing(world, slug="samedi")
    for command, rows in ((("publication", "ls"), 2), (("list", "ls"), 3), (("mailing", "ls"), 1)):
        assert len(cli(*command).success.splitlines()) == rows + 1


def test_a_mailing_that_has_not_begun_says_when_it_will(cli: Cli, world: Database) -> None:
    mailing_id = make_mailing(world, slug="samedi", planned=False)
    assert "has not begun; it is due 2026-03-13 07:00 UTC" in cli("stats", str(mailing_id)).success
