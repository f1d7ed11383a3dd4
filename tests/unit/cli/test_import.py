"""`newsletter import`."""

from __future__ import annotations

import csv
import json

import pytest

from newsletter.audience.subscriptions import unsubscribe
from newsletter.db import Database
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
IMPORT = ("import", "people.csv", "--list", "vendredi")
COUNTS = ("rows", "added", "updated", "unchanged", "kept_unsubscribed")

pytestmark = pytest.mark.usefixtures("world")


@pytest.fixture(autouse=True)
def _people(cli: Cli) -> None:
    cli.write("people.csv", PEOPLE)


def counts(cli: Cli, *more: str) -> dict[str, int]:
    facts = json.loads(cli(*IMPORT, "--json", *more).success)
    return {name: facts[name] for name in COUNTS} | {"refused": len(facts["refused"])}


def test_good_rows_go_in_and_bad_rows_are_named_by_line_and_reason(cli: Cli) -> None:
    out = cli(*IMPORT).success
    assert "  line 4: “nobody” is not an email address" in out
    assert "  line 7: zoe@example.org stands on line 2 already" in out
    assert "  line 8: 4 cells where the header has 3" in out
    assert "6 rows: 2 added, 1 updated, 0 unchanged, 0 stay unsubscribed, 3 refused" in out
    assert len(cli.rows()["subscribers"]) == 3


def test_json_of_an_import_can_be_read_by_programs(cli: Cli) -> None:
    facts = json.loads(cli(*IMPORT, "--json").success)
    assert facts["dry_run"] is False
    assert [fault["line"] for fault in facts["refused"]] == [4, 7, 8]
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
        "rows": 6, "added": 2, "updated": 1, "unchanged": 0, "kept_unsubscribed": 0, "refused": 3,
    }  # fmt: skip
    before = cli.rows()
    assert counts(cli) == {
        "rows": 6, "added": 0, "updated": 0, "unchanged": 3, "kept_unsubscribed": 0, "refused": 3,
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
    assert header == ["line", "reason", "courriel", "prénom", "ville"]
    assert [(row[0], row[2:]) for row in rows] == [
        ("4", ["nobody", "Personne", "Mons"]),
        ("7", ["zoe@example.org", "Zoé", "Arlon"]),
        ("8", ["deux@example.org", "Deux", "Uccle", "de trop"]),
    ]
    assert all(row[1] for row in rows)


def test_mended_rejects_can_be_imported_as_they_are(cli: Cli) -> None:
    cli.write("people.csv", "email,prénom\nzoe@,Zoé\n")
    assert cli(*IMPORT, "--rejects", "rejects.csv").success
    mended = (cli.folder / "rejects.csv").read_text(encoding="utf-8").replace("zoe@,", "zoe@example.org,")
    cli.write("people.csv", mended)
    assert counts(cli)["added"] == 1
