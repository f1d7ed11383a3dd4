"""Where an issue goes and when, as its front matter says and as the command line says."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from newsletter.db import Database
from newsletter.models import Mailing
from newsletter.rendering.compile import compile_issue
from tests.unit.cli.conftest import LATER, Cli

ISSUE = "---\ntitle: Vendredi\npreheader: Bonjour\nlanguage: fr\n{}---\n\nBonjour.\n"


def issue(cli: Cli, *keys: str) -> None:
    cli.write("issue.md", ISSUE.format("".join(f"{key}\n" for key in keys)))


def due_at(database: Database) -> datetime:
    with database.read() as session:
        return session.scalars(select(Mailing.due_at)).one()


def test_an_issue_goes_where_and_when_its_front_matter_says(cli: Cli, world: Database) -> None:
    issue(cli, "lists: vendredi", "schedule: 2090-01-06 08:00")
    told = cli("send", "issue.md").success
    assert "goes to 1 subscriber of “vendredi” at 2090-01-06 07:00 UTC." in told
    assert due_at(world) == datetime(2090, 1, 6, 7, tzinfo=UTC)


def test_the_command_line_wins(cli: Cli, world: Database) -> None:
    issue(cli, "lists: vide", "schedule: 2020-01-06 08:00")
    assert "of “vendredi” at" in cli("send", "issue.md", "--list", "vendredi", "--at", LATER).success
    assert due_at(world) == datetime(2090, 1, 6, 7, tzinfo=UTC)


@pytest.mark.usefixtures("world")
def test_an_issue_can_be_sent_now_whatever_its_schedule(cli: Cli) -> None:
    issue(cli, "lists: vendredi", "schedule: 2020-01-06 08:00")
    assert "of “vendredi” at" in cli("send", "issue.md", "--now", "--hold", "10m").success
    complaint = cli.refused("send", "issue.md", "--now", "--at", LATER)
    assert complaint == "--at and --now are two different times: leave one of them out"


def segment_of(database: Database) -> str | None:
    with database.read() as session:
        return session.scalars(select(Mailing.segment)).one()


@pytest.mark.parametrize("said", ["est", "email contains “ada”"])
def test_an_issue_goes_to_the_segment_that_its_front_matter_names_or_spells(
    cli: Cli, world: Database, said: str
) -> None:
    assert cli("segment", "add", "est", "email contains “ada”").success
    issue(cli, "lists: vendredi", f"segment: {said}")
    told = cli("send", "issue.md", "--at", LATER).success
    assert "Of the list, it goes to this segment: email contains “ada”" in told
    assert segment_of(world) == "email contains “ada”"


def test_another_segment_may_be_said(cli: Cli, world: Database) -> None:
    issue(cli, "lists: vendredi", "segment: nowhere")
    assert cli("send", "issue.md", "--at", LATER, "--segment", 'email domain = "example.org"').success
    assert segment_of(world) == 'email domain = "example.org"'


FAULTS = {
    "a segment that is none": (
        ("lists: vendredi", "segment: warm"),
        'issue.md:6: there is no segment “warm”; add one with `newsletter segment add SLUG "…"`',
    ),
    "an expression that is none": (
        ("lists: vendredi", "segment: opened eny of last 5"),
        "issue.md:6: segment, column 8: expected any or all or none, not “eny”: did you mean any?",
    ),
    "no list at all": (
        (),
        "issue.md: who gets it? Say --list SLUG, or write “lists: SLUG” into its front matter",
    ),
    "several lists": (
        ("lists: vendredi, vide",),
        "issue.md:5: lists names several and a mailing goes to one: say --list vendredi or --list vide",
    ),
    "a list that is none": (
        ("lists: samedi",),
        "issue.md:5: lists: there is no list “samedi”; there are vendredi, vide",
    ),
    "a time that is none": (
        ("lists: vendredi", "schedule: demain"),
        "issue.md:6: schedule: “demain” is not a date and time: write one such as 2026-03-13T08:00",
    ),
    "a time that is past": (
        ("lists: vendredi", "schedule: 2020-01-06 08:00"),
        "issue.md:6: schedule: “2020-01-06 08:00” is past: write a later time, or send it with --now",
    ),
    "a time that is skipped": (
        ("lists: vendredi", "schedule: 2037-03-29 02:30"),
        "issue.md:6: schedule: 2037-03-29T02:30 is skipped in Europe/Brussels, clocks go from 02:00 to 03:00: "
        "write 2037-03-29T01:59+01:00 or 2037-03-29T03:00+02:00",
    ),
}


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_front_matter_that_cannot_be_followed_is_refused_by_its_line(cli: Cli, fault: str) -> None:
    keys, complaint = FAULTS[fault]
    issue(cli, *keys)
    assert cli.refused("send", "issue.md") == complaint


@pytest.mark.usefixtures("world")
def test_a_dry_run_goes_to_the_list_of_the_front_matter_and_minds_no_time(cli: Cli) -> None:
    issue(cli, "lists: vendredi", "schedule: 2020-01-06 08:00")
    assert "1 message for 1 recipient" in cli("send", "issue.md", "--dry-run").out


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("keys", "codes"),
    [
        (("lists: vendredi", "schedule: 2090-01-06 08:00"), {}),
        (("lists: samedi",), {"lists": ("error", "there is no list “samedi”", "there are vendredi, vide")}),
        (
            ("lists: vendredi, vide",),
            {
                "lists": (
                    "warning",
                    "lists names 2 lists, and a mailing goes to one",
                    "say which, as in newsletter send … --list vendredi",
                )
            },
        ),
        (
            ("lists: vendredi", "schedule: 2020-01-06 08:00"),
            {
                "schedule": (
                    "error",
                    "schedule: “2020-01-06 08:00” is past",
                    "write a later time, or send it with --now",
                )
            },
        ),
        (
            ("lists: vendredi", "segment: warm"),
            {
                "segment": (
                    "error",
                    "there is no segment “warm”",
                    'add one with `newsletter segment add SLUG "…"`',
                )
            },
        ),
        (
            ("segment: opened any of lasst 5",),
            {
                "segment": (
                    "error",
                    "segment, column 15: expected last, not “lasst”: did you mean last?",
                    "mend it, or write a saved segment’s name",
                )
            },
        ),
        (("lists: vendredi", 'segment: email = "nobody@example.org"'), {}),
        (
            ("schedule: demain",),
            {
                "schedule": (
                    "error",
                    "schedule: “demain” is not a date and time",
                    "write one such as 2026-03-13T08:00",
                )
            },
        ),
    ],
)
def test_checking_looks_at_all_of_them(
    cli: Cli, keys: tuple[str, ...], codes: dict[str, tuple[str, str, str]]
) -> None:
    issue(cli, *keys)
    found = {one["code"]: one for one in json.loads(cli("check", "issue.md", "--json").out)}
    told = {code: (one["severity"], one["message"], one["remedy"]) for code, one in found.items()}
    assert {code: told[code] for code in ("lists", "segment", "schedule") if code in told} == codes


@pytest.mark.usefixtures("world")
def test_checking_takes_the_list_of_the_front_matter(cli: Cli) -> None:
    issue(cli, "lists: vendredi")
    codes = {one["code"] for one in json.loads(cli("check", "issue.md", "--json").out)}
    assert "dkim-unsigned" in codes


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("option", [("--at", LATER), ("--dry-run",)])
def test_an_issue_is_compiled_once_to_be_sent(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, option: tuple[str, ...]
) -> None:
    issue(cli, "lists: vendredi")
    times = []

    def counted(*arguments: object, **options: object) -> object:
        times.append(1)
        return compile_issue(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("newsletter.rendering.issue_file.compile_issue", counted)
    assert cli("send", "issue.md", *option).status == 0
    assert len(times) == 1
