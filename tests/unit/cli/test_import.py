"""`newsletter import`."""

from __future__ import annotations

import csv
import json

import pytest
from sqlalchemy import select

from newsletter.audience.subscriptions import unsubscribe
from newsletter.db import Database
from newsletter.models import Subscriber
from tests.factories import NOW
from tests.unit.cli.conftest import Cli

PEOPLE = (
    "courriel;prénom;ville\n"
    "zoe@example.org;Zoé;Liège\n"
    "ada@example.org;Ada;Namur\n"
    "nobody;Personne;Mons\n"
    '"max@example.org";"Max\nMoreau";Gand\n'
    "zoe@example.org;Zoé;Arlon\n"
    "deux@example.org;Deux;Uccle;de trop\n"
)
IMPORT = ("import", "people.csv", "--list", "vendredi", "--consent", "signed up at the stand")
COUNTS = ("rows", "added", "updated", "unchanged", "kept_unsubscribed", "duplicates", "refused")

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture(autouse=True)
def _people(cli: Cli) -> None:
    cli.write("people.csv", PEOPLE)


def counts(cli: Cli, *more: str) -> dict[str, int]:
    facts = json.loads(cli(*IMPORT, "--json", *more).success)
    return {name: facts[name] for name in COUNTS}


def test_good_rows_go_in_and_bad_rows_are_named_by_line_and_reason(cli: Cli) -> None:
    out = cli(*IMPORT).success
    assert "  line 4: “nobody” is not an email address" in out
    assert "  line 7: zoe@example.org stands on line 2 already" in out
    assert "  line 8: 4 cells where the header has 3" in out
    assert "6 rows: 2 added, 1 updated, 0 unchanged, 0 suppressed, 0 stay unsubscribed" in out
    assert "1 duplicates, 2 refused" in out
    assert len(cli.rows()["subscribers"]) == 3


def test_json_of_an_import_can_be_read_by_programs(cli: Cli) -> None:
    facts = json.loads(cli(*IMPORT, "--json").success)
    assert facts["dry_run"] is False
    assert [fault["line"] for fault in facts["samples"]["refused"]] == [4, 8]
    assert [again["line"] for again in facts["samples"]["duplicates"]] == [7]
    assert facts["tables"][0]["form"] == 'UTF-8, semicolon, quote "'
    assert facts["tables"][0]["columns"][1] == {"header": "prénom", "holds": "first_name"}
    assert (facts["rows"], facts["added"], facts["updated"]) == (6, 2, 1)


def test_a_dry_run_says_the_same_and_changes_nothing(cli: Cli) -> None:
    before = cli.rows()
    out = cli(*IMPORT, "--dry-run").success
    assert "2 would be added, 1 would be updated" in out
    promised = counts(cli, "--dry-run")
    assert cli.rows() == before
    assert counts(cli) == promised


def test_importing_twice_changes_nothing(cli: Cli) -> None:
    assert counts(cli) == {
        "rows": 6, "added": 2, "updated": 1, "unchanged": 0, "kept_unsubscribed": 0, "duplicates": 1, "refused": 2,
    }  # fmt: skip
    before = cli.rows()
    assert counts(cli) == {
        "rows": 6, "added": 0, "updated": 0, "unchanged": 3, "kept_unsubscribed": 0, "duplicates": 1, "refused": 2,
    }  # fmt: skip
    after = cli.rows()
    # Only the record of the import itself is new.
    assert len(after.pop("imports")) == len(before.pop("imports")) + 1
    assert after == before


def test_nobody_who_left_is_brought_back(cli: Cli, world: Database) -> None:
    with world.write() as session:
        assert unsubscribe(session, 1, 1, NOW)
    before = cli.rows()["subscriptions"]
    assert counts(cli)["kept_unsubscribed"] == 1
    assert cli.rows()["subscriptions"][: len(before)] == before


@pytest.mark.parametrize("dry_run", [(), ("--dry-run",)])
def test_rejects_hold_line_reason_and_the_original_cells(cli: Cli, dry_run: tuple[str, ...]) -> None:
    assert cli(*IMPORT, "--rejects", "rejects.csv", *dry_run).success
    with (cli.folder / "rejects.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", "line", "reason", "courriel", "prénom", "ville"]
    assert [(row[0], row[1], row[3:]) for row in rows] == [
        ("people.csv", "4", ["nobody", "Personne", "Mons"]),
        ("people.csv", "8", ["deux@example.org", "Deux", "Uccle", "de trop"]),
    ]
    assert all(row[2] for row in rows)


def test_mended_rejects_can_be_imported_as_they_are(cli: Cli) -> None:
    cli.write("people.csv", "email,prénom\nzoe@,Zoé\n")
    assert cli(*IMPORT, "--rejects", "rejects.csv").success
    mended = (cli.folder / "rejects.csv").read_text(encoding="utf-8").replace("zoe@,", "zoe@example.org,")
    cli.write("people.csv", mended)
    assert counts(cli)["added"] == 1


def test_what_was_imported_can_be_taken_back_exactly(cli: Cli) -> None:
    before = cli.rows()
    number = json.loads(cli(*IMPORT, "--json").success)["import"]
    assert "2 taken off the list, 2 people forgotten, 1 as they were before" in cli("import", "undo", number).success
    after = cli.rows()
    # Only the record of the import itself stays.
    assert len(after.pop("imports")) == len(before.pop("imports")) + 1
    assert after == before
    assert cli.refused("import", "undo", number) == f"import {number} is undone already"
    assert cli.refused("import", "resume", number) == f"import {number} is undone already"


def test_an_import_that_has_ended_is_not_run_again(cli: Cli) -> None:
    number = json.loads(cli(*IMPORT, "--json").success)["import"]
    assert cli.refused("import", "resume", number) == f"import {number} is done already"


@pytest.mark.parametrize("word", ["resume", "undo"])
def test_an_import_that_is_none_is_named(cli: Cli, word: str) -> None:
    assert cli.refused("import", word, "999") == "there is no import 999: see `newsletter import ls`"


def test_columns_encodings_and_delimiters_can_be_said(cli: Cli) -> None:
    cli.write("people.csv", "Qui~Où\nzoe@example.org~Liège\n".replace("~", "|").encode("cp1252"))
    facts = json.loads(
        cli(
            *IMPORT, "--json", "--map", "Qui=email", "--map", "Où=city", "--encoding", "cp1252", "--delimiter", "bar"
        ).success
    )
    assert (facts["added"], facts["tables"][0]["form"]) == (1, 'cp1252, bar, quote "')
    assert '{"city": "Li\\u00e8ge"}' in cli.rows()["subscribers"][-1]


def test_a_conflict_is_told_and_ours_is_kept_where_that_is_asked(cli: Cli, world: Database) -> None:
    cli.write("people.csv", "email,first_name,ville\nada@example.org,Augusta,Gand\n")
    out = cli(*IMPORT, "--conflicts", "keep").success
    assert "0 updated, 1 unchanged" in out
    assert "1 differed" in out
    with world.read() as session:
        assert (
            session.scalars(select(Subscriber.first_name).where(Subscriber.email == "ada@example.org")).one() == "Ada"
        )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--map", "Courriel"), "Courriel=email"),
        (("--map", "Absente=email"), "no column “Absente”"),
        (("--map", "prénom=email"), "two columns mean email"),
        (("--preset", "pigeon"), "there are beehiiv, ghost"),
        (("--encoding", "klingon"), "utf-8"),
        (("--encoding", "base64"), "utf-8"),
        (("--delimiter", "x"), "semicolon"),
        (("--quote", "«"), "none"),
        (("--conflicts", "fight"), "overwrite"),
    ],
)
def test_an_option_that_says_nothing_is_refused(cli: Cli, options: tuple[str, ...], words: str) -> None:
    assert words in cli.refused(*IMPORT, *options)


def test_a_warning_is_told_with_what_was_probably_meant(cli: Cli) -> None:
    cli.write("people.csv", "email\nzoe@gmial.com\n")
    assert "line 2: the domain gmial.com looks mistyped: zoe@gmail.com? (a warning)" in cli(*IMPORT).success
