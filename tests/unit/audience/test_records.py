"""What stands between delimiters, in whatever state it comes."""

from __future__ import annotations

import csv
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.audience.files.dialect import DELIMITERS, QUOTES, Dialect, find_dialect
from newsletter.audience.files.records import MAX_LINES_A_RECORD, read_records
from tests.unit.audience.files import opened, rows_of

COMMA = Dialect(",")
Seen = list[tuple[int, list[str], str]]


def read(text: str, dialect: Dialect = COMMA) -> Seen:
    return list(read_records(StringIO(text), dialect, "people.csv"))


def good(records: Seen) -> list[tuple[int, list[str]]]:
    return [(line, cells) for line, cells, reason in records if not reason and cells]


def faults(records: Seen) -> dict[int, str]:
    return {line: reason for line, _, reason in records if reason}


def test_a_cell_may_span_lines_and_later_records_keep_their_numbers() -> None:
    assert good(read('a,"one\ntwo"\nb,c\n')) == [(1, ["a", "one\ntwo"]), (3, ["b", "c"])]


def test_a_quote_behind_a_backslash_is_one_of_the_cell() -> None:
    records = read('"a","Les \\"Dimanches\\", suite","b"\nc,"fin \\"",d\ne,"C:\\",f\n')
    assert faults(records) == {}
    assert [cells[1] for _, cells, _ in records] == ['Les "Dimanches", suite', 'fin "', "C:\\"]


def test_spaces_between_a_closing_quote_and_the_delimiter_are_passed_over() -> None:
    assert good(read('"Dupont, A."  ,b\nc,"d" \n')) == [(1, ["Dupont, A.", "b"]), (2, ["c", "d"])]


SPACED = 'email, name, city\nada@example.org, "King, Ada", "Mons"\nbob@example.org, "Roe, Bob", Gand\n'


def test_spaces_before_quotes_are_passed_over_where_the_file_only_makes_sense_so() -> None:
    form = opened(SPACED).tables[0]
    assert form.form == 'UTF-8, comma and spaces, quote "'
    rows, refused, _ = rows_of(opened(SPACED))
    assert [(row.last_name, row.attributes) for row in rows] == [
        ("King", '{"city": "Mons"}'),
        ("Roe", '{"city": "Gand"}'),
    ]
    assert refused == []


@pytest.mark.parametrize(
    "text",
    [
        'email,about\na@example.org, "quoted" words\n',
        'uuid,email,attributes\nu1,a@example.org,"{""a"": ""x"", ""b"": ""y""}"\n',
        'email,words\na@example.org,"  "" x"\n',
    ],
)
def test_spaces_and_quotes_that_make_sense_as_they_stand_are_left_alone(text: str) -> None:
    assert "spaces" not in opened(text).tables[0].form


def test_a_delimiter_that_stands_only_inside_cells_is_not_the_file_s() -> None:
    rows = 'x,"## | a | b |\n| c | d |\n| e | f |",y,z\n' * 9
    assert find_dialect(f"title,words,one,two\n{rows}", lambda _cells: False) == COMMA


def test_a_stray_quote_costs_its_own_line_alone() -> None:
    records = read('a,b\n"Bob, bob@example.org\n"Al",al@example.org\nc,d\n')
    assert good(records) == [(1, ["a", "b"]), (3, ["Al", "al@example.org"]), (4, ["c", "d"])]
    assert "stray quote" in faults(records)[2]


def test_text_after_a_closing_quote_is_a_fault_of_that_record() -> None:
    records = read('"Robert "Bob" Smith",x\nc,d\n')
    assert (good(records), list(faults(records))) == ([(2, ["c", "d"])], [1])


def test_a_quote_that_never_closes_costs_its_own_line_alone() -> None:
    rows = "".join(f"r{number},x\n" for number in range(3 * MAX_LINES_A_RECORD))
    records = read(f'a,b\n"never,closed\n{rows}')
    assert len(good(records)) == 1 + 3 * MAX_LINES_A_RECORD
    assert "does not close" in faults(records)[2]


def test_a_quote_that_opens_on_the_last_line_is_named_there() -> None:
    assert faults(read('a,b\nc,"d')) == {2: "a quote opens here and does not close"}


def test_a_cell_of_ten_megabytes_costs_its_own_record_alone() -> None:
    records = read(f"a,{'x' * 10_000_000}\nb,c\n")
    assert (good(records), list(faults(records))) == ([(2, ["b", "c"])], [1])
    assert "more than 131,072 characters" in faults(records)[1]


def test_without_quotes_a_quote_is_a_letter_like_others() -> None:
    assert good(read('a"b,"c\n', Dialect(",", ""))) == [(1, ['a"b', '"c'])]


@given(st.lists(st.lists(st.text(st.characters(blacklist_characters="\r\x00"), min_size=1), min_size=2), min_size=1))
def test_whatever_was_written_as_csv_is_read_as_it_was(rows: list[list[str]]) -> None:
    written = StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    written.seek(0)
    assert [cells for _, cells in good(read(written.getvalue()))] == rows


@given(st.text(alphabet="ab\",;\n\t '", max_size=300))
def test_no_text_stops_the_reading_and_every_line_is_read_once(text: str) -> None:
    records = read(text)
    numbers = [line for line, _, _ in records]
    assert numbers == sorted(set(numbers))
    assert all(1 <= number <= text.count("\n") + 1 for number in numbers)


# In the manner of the public collections of messy CSV, in our own words.
DIALECTS = {
    "comma": ("email,name\nada@example.org,Ada\nbob@example.org,Bob\n", Dialect(",")),
    "semicolon": ("email;name\nada@example.org;King, Ada\nbob@example.org;Roe, Bob\n", Dialect(";")),
    "tab": ("email\tname\nada@example.org\tAda\n", Dialect("\t")),
    "bar": ("email|name\nada@example.org|Ada, the first\n", Dialect("|")),
    "one column": ("email\nada@example.org\nbob@example.org\n", Dialect(",")),
    "commas in quotes, semicolons between": (
        'email;"city"\nada@example.org;"Mons, Hainaut, BE"\nbob@example.org;"Gent, BE"\n',
        Dialect(";"),
    ),
    "semicolons in quotes, commas between": (
        'email,tags\nada@example.org,"a;b;c"\nbob@example.org,"d;e"\n',
        Dialect(","),
    ),
    "numbers with a decimal comma": ("email;score\nada@example.org;1,5\nbob@example.org;2,5\n", Dialect(";")),
    "JSON in a cell": (
        'email,attributes\nada@example.org,"{""city"": ""Mons"", ""n"": 1}"\nbob@example.org,"{""n"": 2}"\n',
        Dialect(","),
    ),
    "lines within quotes": ('email,note\nada@example.org,"one\ntwo, three"\nbob@example.org,x\n', Dialect(",")),
    "empty cells": ("email,a,b\nada@example.org,,\nbob@example.org,,x\n", Dialect(",")),
    "blank lines first": ("\n\nemail;name\nada@example.org;Ada\n", Dialect(";")),
    "single quotes": (
        "'email','name'\n'ada@example.org','King, Ada'\n'bob@example.org','Roe, Bob'\n",
        Dialect(",", "'"),
    ),
    "apostrophes": ("email,name\nada@example.org,L'Hermite\nbob@example.org,D'Hondt\n", Dialect(",")),
    "urls": (
        "email,url\nada@example.org,https://example.org/?a=1;b=2\nbob@example.org,https://x.org\n",
        Dialect(","),
    ),
    "header alone": ("email;first name;city\n", Dialect(";")),
    "nothing": ("", Dialect(",")),
}


@pytest.mark.parametrize("case", DIALECTS)
def test_delimiter_and_quote_are_found(case: str) -> None:
    sample, expected = DIALECTS[case]

    def is_header(cells: list[str]) -> bool:
        return "email" in [cell.strip() for cell in cells]

    assert find_dialect(sample, is_header) == expected


@settings(deadline=None)
@given(st.text(max_size=300) | st.text(alphabet="ab@,;\t|\"'\n\0\\ ", max_size=300))
def test_no_text_stops_the_finding(text: str) -> None:
    found = find_dialect(text, lambda cells: "email" in cells)
    assert found.delimiter in DELIMITERS
    assert found.quote in QUOTES
