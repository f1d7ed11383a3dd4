from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.audience.csvfile import CsvFile, Fault, Row, open_csv
from newsletter.demo.people import DOMAIN, write_people


@pytest.fixture
def people(tmp_path: Path) -> CsvFile:
    assert write_people(tmp_path / "people.csv") == 1000
    return open_csv(tmp_path / "people.csv")


def test_of_a_thousand_rows_twelve_are_refused(people: CsvFile) -> None:
    rows = list(people.rows())
    assert len(rows) == 1000
    assert sum(isinstance(row, Fault) for row in rows) == 12


def test_each_is_refused_for_a_reason_of_its_own(people: CsvFile) -> None:
    faults = [row for row in people.rows() if isinstance(row, Fault)]
    # What is left of a reason without the row's own text, which stands in quotes or is an address.
    kinds = {
        " ".join(word for word in fault.reason.split("”")[-1].split() if "@l" not in word and not word.isdigit())
        for fault in faults
    }
    assert len(kinds) == 12


def test_every_bad_row_is_named_by_the_line_it_stands_on(people: CsvFile, tmp_path: Path) -> None:
    lines = (tmp_path / "people.csv").read_text(encoding="utf-8").splitlines()
    for fault in (row for row in people.rows() if isinstance(row, Fault)):
        assert lines[fault.line - 1].startswith(fault.cells[0])


def test_good_rows_are_of_people_who_cannot_be_anybody(people: CsvFile) -> None:
    good = [row for row in people.rows() if isinstance(row, Row)]
    assert len({row.email for row in good}) == 988
    assert all(row.email.endswith(f"@{DOMAIN}") for row in good)
    assert DOMAIN.endswith(".example")
    assert 0 < sum(not row.first_name for row in good) < 200
    assert people.attribute_names == ("ville", "langue")


def test_the_same_people_are_made_up_again(people: CsvFile, tmp_path: Path) -> None:
    write_people(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes().decode() == people.text
