"""Looking at mailings."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine

from newsletter.db import Database
from tests.factories import EMAILS, NOW, make_mailing
from tests.servers.smtp import DROP, SmtpServer
from tests.unit.cli.conftest import Cli
from tests.unit.sending.conftest import Post

pytestmark = pytest.mark.usefixtures("an_hour_later")


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("command", [("stats",), ("stats", "--json")])
def test_an_unknown_mailing_is_answered_with_the_command_that_lists_them(cli: Cli, command: tuple[str, ...]) -> None:
    assert cli.refused(*command, "56") == "there is no mailing 56: `newsletter mailing ls` lists them"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("number", ["56b", "0", "99999999999999999999"])
def test_a_number_that_no_mailing_can_have_is_refused(cli: Cli, number: str) -> None:
    assert "newsletter stats show --help" in cli.refused("stats", number)
    assert "newsletter mailing show --help" in cli.refused("mailing", "show", number)


def test_json_of_mailings_can_be_read_by_programs(cli: Cli, world: Database) -> None:
    mailing_id = make_mailing(world, slug="samedi")
    shown = json.loads(cli("mailing", "show", str(mailing_id), "--json").success)
    reported = json.loads(cli("stats", str(mailing_id), "--json").success)
    (listed,) = json.loads(cli("mailing", "ls", "--json").success)
    assert reported.items() >= listed.items()
    assert shown.items() >= listed.items()
    assert shown.keys() - listed.keys() == {"local_time", "window", "canary", "refusals", "waits_for"}
    assert (shown["mailing_id"], shown["list_slug"], shown["status"]) == (mailing_id, "samedi", "sending")
    assert shown["audience"] == 3
    assert shown["states"] == {"pending": 3}
    assert [link["number"] for link in reported["links"]] == list(range(1, len(reported["links"]) + 1))


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


def test_why_recipients_were_refused_is_shown_with_their_number(cli: Cli, post: Post, smtp: SmtpServer) -> None:
    smtp.refuse[EMAILS[0]] = "550 5.1.1 no such user"
    smtp.refuse[EMAILS[1]] = "552 5.2.2 mailbox full"
    mailing_id = str(make_mailing(post.database, slug="samedi"))
    post.turn()
    shown = cli("mailing", "show", mailing_id).success
    assert [line.split() for line in shown.splitlines()[-4:]] == [
        ["sent", "1"],
        ["rejected", "2"],
        ["address", "1"],
        ["full", "1"],
    ]
    assert json.loads(cli("mailing", "show", mailing_id, "--json").success)["refusals"] == {"address": 1, "full": 1}


def test_somebody_uncertain_is_pointed_to(cli: Cli, post: Post, smtp: SmtpServer) -> None:
    smtp.refuse_data[EMAILS[0]] = DROP
    mailing_id = make_mailing(post.database, slug="samedi")
    post.turn()
    shown = cli("mailing", "show", str(mailing_id)).success
    assert shown.endswith(f"`newsletter mailing show {mailing_id} --uncertain` lists them.\n")


def test_what_a_mailing_waits_for_is_shown(cli: Cli, world: Database) -> None:
    mailing_id = str(make_mailing(world, slug="samedi"))
    assert "waits for  a worker, since 2026-03-13 07:00:00 UTC" in cli("mailing", "show", mailing_id).success
    (waits,) = json.loads(cli("mailing", "show", mailing_id, "--json").success)["waits_for"]
    assert waits.startswith("a worker, since ")


def test_times_are_said_to_be_in_utc(cli: Cli, world: Database) -> None:
    mailing_id = str(make_mailing(world, slug="samedi"))
    assert "2026-03-13 07:00 UTC" in cli("mailing", "show", mailing_id).success
    assert "2026-03-13 07:00 UTC" in cli("mailing", "ls").success


@pytest.mark.parametrize("options", [("--watch", "--json"), ("--watch", "--uncertain"), ("--uncertain", "--json")])
def test_a_mailing_is_shown_in_one_way_at_a_time(cli: Cli, world: Database, options: tuple[str, ...]) -> None:
    mailing_id = str(make_mailing(world, slug="samedi"))
    assert "do not go together" in cli.refused("mailing", "show", mailing_id, *options)


def test_an_old_mailing_is_pruned_down_to_its_receipt(cli: Cli, post: Post) -> None:
    mailing_id = str(make_mailing(post.database, slug="samedi"))
    post.turn()
    shown = cli("mailing", "show", mailing_id).success
    none = "No mailing was finished more than 30 days ago and is not pruned yet.\n"
    assert cli("mailing", "prune", "--older-than", "30").success == none
    with time_machine.travel(NOW + timedelta(days=31)):
        pruned = cli("mailing", "prune", "--older-than", "30").success
    assert pruned == f"Mailing {mailing_id}: 3 rows pruned, the receipt kept.\n"
    assert cli("mailing", "show", mailing_id).success == shown
    assert "was pruned on" in cli.refused("mailing", "verify", mailing_id)


@pytest.mark.usefixtures("world")
def test_a_mailing_of_late_is_never_pruned(cli: Cli) -> None:
    assert "--older-than" in cli.refused("mailing", "prune", "--older-than", "29")
