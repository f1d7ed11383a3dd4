from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.audience.files.source import Table, open_source
from newsletter.audience.rows import Row, RowReader
from newsletter.demo.people import DOMAIN, write_people
from newsletter.errors import InputError


@pytest.fixture
def people(tmp_path: Path) -> Table:
    assert write_people(tmp_path / "people.csv") == 1000
    return open_source(tmp_path / "people.csv").tables[0]


def read(people: Table) -> tuple[list[Row], dict[int, str]]:
    """The good rows, and the faults of the others by line."""
    reader = RowReader(people.columns)
    rows, faults = [], {}
    for line, cells, _ in people.records(lambda _done: None):
        try:
            rows.append(reader.read(line, cells)[0])
        except InputError as error:
            faults[line] = str(error)
    return rows, faults


def test_of_a_thousand_rows_eleven_are_faulty_and_one_comes_twice(people: Table) -> None:
    rows, faults = read(people)
    assert len(rows) == 989
    assert len({row.email for row in rows}) == 988
    assert len(faults) == 11


def test_each_is_refused_for_a_reason_of_its_own(people: Table) -> None:
    # What is left of a reason without the row's own text, which stands in quotes.
    kinds = {reason.split("”")[-1] for reason in read(people)[1].values()}
    assert len(kinds) == 11


def test_every_bad_row_is_named_by_the_line_it_stands_on(people: Table, tmp_path: Path) -> None:
    lines = (tmp_path / "people.csv").read_text(encoding="utf-8").splitlines()
    bad = {line: cells for line, cells, _ in people.records(lambda _done: None) if line in read(people)[1]}
    assert len(bad) == 11
    for line, cells in bad.items():
        assert lines[line - 1].startswith(cells[0])


def test_good_rows_are_of_people_who_cannot_be_anybody(people: Table) -> None:
    good, _ = read(people)
    assert all(row.email.endswith(f"@{DOMAIN}") for row in good)
    assert DOMAIN.endswith(".example")
    assert 0 < sum(not row.first_name for row in good) < 200
    assert people.columns.attribute_names == ("ville",)


def test_the_same_people_are_made_up_again(people: Table, tmp_path: Path) -> None:
    assert people.size
    write_people(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "people.csv").read_bytes()
