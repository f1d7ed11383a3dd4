"""`newsletter subscriber` and `newsletter suppression`."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from newsletter.db import Database
from newsletter.models import Delivery, Event, EventKind, Publication, Subscriber, Tracking, Verdict
from tests.factories import NOW, make_mailing
from tests.unit.cli.conftest import Cli

pytestmark = pytest.mark.usefixtures("world")


def more_people(cli: Cli) -> None:
    cli.write("people.csv", "email,first_name,ville\nbea@example.org,Béa,Namur\nadam@example.org,Adam,Mons\n")
    assert cli("import", "people.csv", "--list", "vendredi", "--consent", "signed up at the stand").status == 0


def addresses(cli: Cli, *options: str) -> list[str]:
    return [row["email"] for row in json.loads(cli("subscriber", "ls", *options, "--json").success)]


def test_subscribers_are_listed_page_by_page_and_found_by_the_beginning_of_their_address(cli: Cli) -> None:
    more_people(cli)
    assert addresses(cli) == ["ada@example.org", "adam@example.org", "bea@example.org"]
    assert addresses(cli, "--search", "ada") == ["ada@example.org", "adam@example.org"]
    assert addresses(cli, "--search", "ad_") == []
    assert addresses(cli, "--list", "vide") == []
    assert addresses(cli, "--list", "vendredi", "--after", "ada@example.org", "--limit", "1") == ["adam@example.org"]
    assert "More: --after adam@example.org" in cli("subscriber", "ls", "--limit", "2").success


def test_a_person_is_shown_with_lists_suppressions_and_what_happened(cli: Cli) -> None:
    more_people(cli)
    cli("suppression", "add", "@example.org", "--reason", "blocked", "--source", "their postmaster")
    out = cli("subscriber", "show", "bea@example.org").success
    for words in ("Béa", "ville = Namur", "vendredi", "active", "their postmaster", "signed up at the stand"):
        assert words in out
    facts = json.loads(cli("subscriber", "show", "bea@example.org", "--json").success)
    assert [(one["what"], one["about"]) for one in facts["timeline"]] == [("subscribed", "vendredi")]
    assert facts["suppressions"][0]["address"] == "@example.org"


def test_what_somebody_did_is_shown_with_who_it_is_judged_to_be(cli: Cli, world: Database) -> None:
    mailing_id = make_mailing(world, ["ada@example.org"], slug="samedi")
    kinds = ((EventKind.OPEN, Verdict.PERSON, ""), (EventKind.CLICK, Verdict.MACHINE, "burst"))
    with world.write() as session:
        session.execute(update(Publication).values(tracking=Tracking.INDIVIDUAL))
        delivery_id = session.scalars(select(Delivery.id)).one()
        for number, (kind, verdict, reason) in enumerate(kinds):
            session.add(
                Event(
                    mailing_id=mailing_id,
                    delivery_id=delivery_id,
                    kind=kind,
                    user_agent="Firefox",
                    verdict=verdict,
                    verdict_reason=reason,
                    occurred_at=NOW + timedelta(minutes=number),
                    source=str(number),
                )
            )
    facts = json.loads(cli("subscriber", "show", "ada@example.org", "--json").success)
    events = [(one["what"], one["words"]) for one in facts["timeline"] if one["kind"] == "event"]
    assert events == [("click", "machine (burst): Firefox"), ("open", "Firefox")]
    assert {one["tracking"] for one in facts["lists"]} == {"individual"}
    assert "Where tracking is" not in cli("subscriber", "show", "ada@example.org").success


def test_where_nothing_is_kept_by_person_that_is_said(cli: Cli, world: Database) -> None:
    out = cli("subscriber", "show", "ada@example.org").success
    assert "Where tracking is aggregate, opens and clicks are counted, and not kept by person." in out
    with world.write() as session:
        session.execute(update(Subscriber).values(tracking=Tracking.OFF))
    out = cli("subscriber", "show", "ada@example.org").success
    assert "Where tracking is off, opens and clicks are not noted." in out
    assert "aggregate" not in out


def test_everything_held_about_a_person_is_given_as_json(cli: Cli) -> None:
    facts = json.loads(cli("subscriber", "export", "ada@example.org").success)
    assert facts["subscriber"]["first_name"] == "Ada"
    assert facts["lists"][0]["list"] == "vendredi"
    assert facts["deliveries"] == facts["events"] == facts["consents"] == []


def test_forgetting_says_what_went_and_the_address_does_not_come_back(cli: Cli) -> None:
    assert cli("subscriber", "forget", "ada@example.org", "--yes").success.startswith("Forgotten: 0 deliveries")
    assert "subscribers" not in cli.rows()
    cli.write("people.csv", "email\nada@example.org\nbea@example.org\n")
    out = cli("import", "people.csv", "--list", "vendredi", "--consent", "stated").success
    assert "2 rows: 1 added" in out
    assert "1 more were erased at their own wish" in out
    assert addresses(cli) == ["bea@example.org"]


def test_forgetting_needs_a_yes(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("newsletter.cli.subscriber.typer.confirm", lambda _question: False)
    assert "nothing was erased" in cli.refused("subscriber", "forget", "ada@example.org")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("subscriber", "show", "nobody@example.org"), "there is no subscriber nobody@example.org"),
        (("subscriber", "show", "ada@example.org", "--after", "yesterday"), "is no place in a timeline"),
        (("subscriber", "show", "ada"), "“ada” is not an email address"),
        (("subscriber", "export", "nobody@example.org"), "nothing is known of nobody@example.org"),
        (("subscriber", "forget", "nobody@example.org", "--yes"), "nothing is known of nobody@example.org"),
        (("subscriber", "ls", "--list", "lundi"), "there is no list “lundi”"),
        (("suppression", "add", "@"), "“@” is not a domain: write it as @example.org"),
        (("suppression", "add", "ada"), "“ada” is not an email address"),
        (("suppression", "add", "ada@example.org", "--until", "soon"), "“soon” is no day: write it as 2027-01-31"),
        (("suppression", "add", "ada@example.org", "--until", "2020-01-01"), "2020-01-01 is over"),
        (("suppression", "rm", "ada@example.org"), "ada@example.org is not suppressed"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(cli: Cli, arguments: tuple[str, ...], words: str) -> None:
    assert words in cli.refused(*arguments)


def test_suppressions_are_added_listed_page_by_page_and_taken_back(cli: Cli) -> None:
    assert cli("suppression", "add", "@Example.ORG").success == "@example.org is not mailed from now on.\n"
    cli("suppression", "add", "ada@example.org", "--reason", "complained", "--until", "2090-01-31")
    assert "is not mailed already" in cli("suppression", "add", "ada@example.org").success
    rows = json.loads(cli("suppression", "ls", "--json").success)
    assert [(row["address"], row["reason"]) for row in rows] == [
        ("@example.org", "blocked"),
        ("ada@example.org", "blocked"),
    ]
    assert "More: --after @example.org" in cli("suppression", "ls", "--limit", "1").success
    page = json.loads(cli("suppression", "ls", "--after", "@example.org", "--json").success)
    assert [row["address"] for row in page] == ["ada@example.org"]
    assert cli("suppression", "rm", "@example.org").success == "@example.org may be mailed again.\n"
    assert "complained" not in cli("suppression", "ls").success


def test_a_list_is_exported_as_csv_and_as_json_that_go_in_again_unchanged(cli: Cli) -> None:
    more_people(cli)
    text = cli("export", "--list", "vendredi").success
    assert text.startswith(
        "email,first_name,last_name,language,timezone,status,subscription,suppressed,suppressed_by,"
    )
    assert cli("export", "--list", "vendredi", "--output", "out.csv").success == ""
    assert (cli.folder / "out.csv").read_bytes().decode() == text
    before = cli.rows()
    assert "3 rows: 0 added, 0 updated, 3 unchanged" in cli("import", "out.csv", "--list", "vendredi").success
    after = cli.rows()
    assert len(after.pop("imports")) == len(before.pop("imports")) + 1
    assert {**after, "lists": 0} == {**before, "lists": 0}
    rows = json.loads(cli("export", "--list", "vendredi", "--format", "json").success)
    assert [row["email"] for row in rows] == ["ada@example.org", "adam@example.org", "bea@example.org"]
    assert rows[1]["attributes"] == {"ville": "Mons"}
    assert cli("export", "--list", "vendredi", "--format", "json", "--output", "out.json").success == ""
    said = cli("import", "out.json", "--list", "vendredi").success
    assert "out.json: JSON, as newsletter writes it" in said
    assert "3 rows: 0 added, 0 updated, 3 unchanged" in said
    assert json.loads(cli("export", "--list", "vide", "--format", "json").success) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--list", "lundi"), "there is no list “lundi”"),
        (("--list", "vendredi", "--output", "there.csv"), "there.csv: is there already"),
        (("--list", "vendredi", "--output", "nowhere/x.csv"), "nowhere/x.csv: cannot be written"),
    ],
)
def test_an_export_that_cannot_be_written_is_refused_in_one_line(
    cli: Cli, arguments: tuple[str, ...], words: str
) -> None:
    cli.write("there.csv", "mine")
    assert words in cli.refused("export", *arguments)
