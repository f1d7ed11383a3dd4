"""Files as people have them: encodings, spreadsheets, archives."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from newsletter.audience.files.source import ReadAs, open_source
from newsletter.errors import InputError
from tests.unit.audience.files import opened, rows_of, workbook, zipped

FRENCH = "Courriel;Prénom;Ville\nzoe@example.org;Zoé;Liège\nleo@example.org;Léo;Liège\n"
ENCODED = {
    "UTF-8": FRENCH.encode(),
    "UTF-8 with a byte order mark": codecs.BOM_UTF8 + FRENCH.encode(),
    "UTF-16": FRENCH.encode("utf-16"),
    "cp1252": FRENCH.encode("cp1252"),
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_the_encoding_is_found_and_told(encoding: str) -> None:
    source = opened(ENCODED[encoding])
    rows, faults, _ = rows_of(source)
    assert source.tables[0].form == f'{encoding}, semicolon, quote "'
    assert [(row.first_name, row.attributes) for row in rows] == [
        ("Zoé", '{"ville": "Li\\u00e8ge"}'),
        ("Léo", '{"ville": "Li\\u00e8ge"}'),
    ]
    assert faults == []


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_found_without_its_mark(codec: str) -> None:
    assert len(rows_of(opened(FRENCH.encode(codec)))[0]) == 2


def test_an_encoding_a_person_names_goes_before_the_guess() -> None:
    text = "email;имя\nivan@example.org;Иван\n"
    rows, _, _ = rows_of(opened(text.encode("koi8-r"), read_as=ReadAs(encoding="koi8-r")))
    assert rows[0].first_name == "Иван"


def test_one_broken_byte_in_a_utf_8_file_costs_its_row_alone() -> None:
    rows, faults, _ = rows_of(opened(FRENCH.encode() + b"max@example.org;Max\xe9;Mons\nada@example.org;Ada;Gand\n"))
    assert [row.first_name for row in rows] == ["Zoé", "Léo", "Ada"]
    assert faults == ["people.csv:4: some of its bytes are not UTF-8"]


def test_the_lines_of_old_macs_and_of_windows_are_lines() -> None:
    for end in ("\r", "\r\n"):
        rows, faults, _ = rows_of(opened(FRENCH.replace("\n", end).encode() + f"nobody;;{end}".encode()))
        assert [row.line for row in rows] == [2, 3]
        assert faults[0].startswith("people.csv:4: ")


def test_excel_s_line_about_the_delimiter_is_no_header() -> None:
    rows, _, _ = rows_of(opened("sep=;\n" + FRENCH))
    assert [row.line for row in rows] == [3, 4]


def test_blank_lines_and_a_nul_and_too_many_cells_are_told_apart() -> None:
    rows, faults, _ = rows_of(
        opened("\n\nemail,name\n\n ,\n,Leo\nada@example.org,A\x00da\nbob@example.org,Bob,x\neve@example.org\n")
    )
    assert [(row.line, row.email) for row in rows] == [(9, "eve@example.org")]
    assert faults == [
        "people.csv:6: the address is empty",
        "people.csv:7: a cell holds a NUL character",
        "people.csv:8: 3 cells where the header has 2: quote the cells that hold the delimiter",
    ]


def test_a_workbook_is_read_with_its_numbers_and_its_own_row_numbers() -> None:
    path = workbook(
        "people.xlsx", {"Feuil1": [["Courriel", "Prénom", "Score"], ["zoe@example.org", "Zoé", 12], ["?"]]}
    )
    source = open_source(path)
    rows, faults, _ = rows_of(source)
    assert source.tables[0].form == "XLSX"
    assert (rows[0].line, rows[0].first_name, rows[0].attributes) == (2, "Zoé", '{"score": "12"}')
    assert faults[0].startswith("people.xlsx:3: “?” is not an email address")


def test_of_a_workbook_every_sheet_with_addresses_is_read() -> None:
    sheets = {"Notes": [["Bonjour"]], "A": [["email"], ["ada@example.org"]], "B": [["email"], ["bob@example.org"]]}
    source = open_source(workbook("people.xlsx", sheets))
    assert [row.email for row in rows_of(source)[0]] == ["ada@example.org", "bob@example.org"]
    assert "sheet Notes" in source.left_out[0]


def test_of_an_archive_every_table_is_read_and_the_rest_is_named() -> None:
    inner = workbook("inner.xlsx", {"A": [["email"], ["eve@example.org"]]}).read_bytes()
    files: dict[str, str | bytes] = {
        "export/a.csv": "email;name\nada@example.org;Ada\n",
        "export/b.tsv": "email\tname\nbob@example.org\tBob\n".encode("utf-16"),
        "export/c.xlsx": inner,
        "export/posts.csv": "title,body\nHello,World\n",
        "readme.md": "Hello",
        "__MACOSX/._a.csv": b"\x00\x05",
    }
    source = open_source(zipped("export.zip", files))
    assert [row.email for row in rows_of(source)[0]] == ["ada@example.org", "bob@example.org", "eve@example.org"]
    assert [words.split(":")[0] for words in source.left_out] == ["export/posts.csv", "readme.md"]


def test_what_a_file_is_shows_in_its_bytes_and_not_in_its_name() -> None:
    path = workbook("people.xlsx", {"A": [["email"], ["ada@example.org"]]}).rename("people.csv")
    assert open_source(path).tables[0].form == "XLSX"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"posts.csv": "title\nHello\n"}, "no column holds addresses"),
        ({"readme.md": "Hello"}, "neither CSV nor TSV nor XLSX nor JSON"),
        ({}, "nothing in it"),
        ({"people.xlsx": "not a workbook"}, "not a workbook"),
    ],
)
def test_an_archive_without_any_table_of_people_is_refused(files: dict[str, str | bytes], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        open_source(zipped("export.zip", files))
    assert str(caught.value).startswith("export.zip: ")


def test_a_workbook_too_large_to_be_held_is_refused_with_what_to_do() -> None:
    path = zipped("people.xlsx", {"xl/workbook.xml": "<workbook/>", "xl/media/huge.bin": bytes(101 << 20)})
    with pytest.raises(InputError, match="100 MB is the most: save it as CSV"):
        open_source(path)


def test_a_damaged_archive_is_refused() -> None:
    whole = zipped("export.zip", {"a.csv": "email\n" + "ada@example.org\n" * 1000}).read_bytes()
    Path("export.zip").write_bytes(whole[:40] + b"\x00" * 20 + whole[60:])
    with pytest.raises(InputError, match=r"export\.zip"):
        open_source(Path("export.zip"))


def test_a_locked_archive_is_refused() -> None:
    whole = bytearray(zipped("export.zip", {"a.csv": "email\nada@example.org\n"}).read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        whole[whole.index(mark) + flags] |= 1
    Path("export.zip").write_bytes(bytes(whole))
    with pytest.raises(InputError, match="password"):
        open_source(Path("export.zip"))
