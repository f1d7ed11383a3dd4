"""Files for tests: written by hand, as other systems write them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from newsletter.audience.files.source import ReadAs, Source, open_source
from newsletter.audience.rows import Remark, Row, RowReader
from newsletter.errors import InputError

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def opened(content: str | bytes, name: str = "people.csv", read_as: ReadAs | None = None) -> Source:
    """A file of that content, opened."""
    path = Path(name)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_source(path, read_as)


def rows_of(source: Source) -> tuple[list[Row], list[str], list[Remark]]:
    """The good rows of all tables, the faults of the others as “name:line: reason”, and what is doubtful."""
    rows, faults, doubts = [], [], []
    for table in source.tables:
        reader = RowReader(table.columns)
        for line, cells, reason in table.records(lambda _done: None):
            try:
                if reason:
                    raise InputError(reason)
                if any(cell.strip() for cell in cells):
                    row, remarks = reader.read(line, cells)
                    rows.append(row)
                    doubts += remarks
            except InputError as error:
                faults.append(f"{table.name}:{line}: {error}")
    return rows, faults, doubts


def zipped(name: str, files: Mapping[str, str | bytes]) -> Path:
    """A ZIP of these files."""
    path = Path(name)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for inner, content in files.items():
            archive.writestr(inner, content)
    return path


def workbook(name: str, sheets: Mapping[str, Sequence[Sequence[str | float | None]]]) -> Path:
    """The smallest XLSX (ECMA-376) with these sheets; text as inline strings."""
    numbers = range(1, len(sheets) + 1)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_REL}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>'
        + "".join(
            f'<sheet name="{sheet}" sheetId="{n}" r:id="s{n}"/>' for n, sheet in zip(numbers, sheets, strict=True)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="s{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
        )
        + "</Relationships>",
    }
    for n, rows in zip(numbers, sheets.values(), strict=True):
        body = "".join(_row(at, cells) for at, cells in enumerate(rows, start=1))
        parts[f"xl/worksheets/sheet{n}.xml"] = f'<worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'
    return zipped(name, {part: f'<?xml version="1.0" encoding="UTF-8"?>{xml}' for part, xml in parts.items()})


def _row(number: int, cells: Sequence[str | float | None]) -> str:
    inside = "".join(_cell(f"{chr(64 + place)}{number}", cell) for place, cell in enumerate(cells, start=1))
    return f'<row r="{number}">{inside}</row>'


def _cell(place: str, value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value}</v></c>'
