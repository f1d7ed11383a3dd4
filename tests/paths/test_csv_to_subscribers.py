from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from newsletter.demo.people import write_people
from tests.paths.steps import newsletter

IMPORT = ("import", "people.csv", "--list", "vendredi", "--consent", "signed up at the stand")


@pytest.mark.usefixtures("settings")
def test_a_file_with_bad_rows_puts_the_good_ones_on_the_list_and_names_the_bad_ones() -> None:
    rows = write_people(Path("people.csv"))
    newsletter("publication", "add", "hebdo", "--name", "L’Hebdo", "--from", "redaction@hebdo.example")
    newsletter("list", "add", "vendredi")
    trial = json.loads(newsletter(*IMPORT, "--dry-run", "--json"))
    assert json.loads(newsletter("list", "ls", "--json"))[0]["active"] == 0
    facts = json.loads(newsletter(*IMPORT, "--rejects", "rejects.csv", "--json"))
    assert facts == {**trial, "dry_run": False, "import": facts["import"]}
    assert (facts["rows"], facts["added"], facts["refused"], facts["duplicates"]) == (rows, rows - 12, 11, 1)
    assert json.loads(newsletter("list", "ls", "--json"))[0]["active"] == rows - 12
    with Path("rejects.csv").open(encoding="utf-8", newline="") as file:
        rejects = list(csv.DictReader(file))
    assert [int(row["line"]) for row in rejects] == [fault["line"] for fault in facts["samples"]["refused"]]
    assert all(row["reason"] for row in rejects)
    newsletter("import", "undo", str(facts["import"]))
    assert json.loads(newsletter("list", "ls", "--json"))[0]["active"] == 0
    assert json.loads(newsletter("import", "ls", "--json"))[0]["state"] == "undone"
