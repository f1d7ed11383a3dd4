"""CSV files of subscribers: read row by row, each row good or named with its fault."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from newsletter.errors import InputError, SourceError
from newsletter.mail.addresses import normalise
from newsletter.slugs import slugify
from newsletter.text import one_line
from newsletter.textfile import read_utf8

DELIMITERS = ",;\t|"
MAX_VALUE = 200
_COLUMNS = {
    "email": {"email", "e-mail", "mail", "email-address", "e-mail-address", "courriel", "adresse-e-mail",
              "adresse-email", "adresse-mail", "adresse-electronique"},
    "first_name": {"first-name", "firstname", "given-name", "prenom"},
    "last_name": {"last-name", "lastname", "surname", "family-name", "nom", "nom-de-famille"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A subscriber as the file has them; `line` is where the row starts, from 1."""

    line: int
    email: str
    first_name: str
    last_name: str
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot go in, and why."""

    line: int
    reason: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file whose header is understood. `fields[i]` is what column i fills; attributes by their own names."""

    path: str
    header: tuple[str, ...]
    fields: tuple[str, ...]
    delimiter: str
    text: str

    @property
    def attribute_names(self) -> tuple[str, ...]:
        return tuple(field for field in self.fields if field and field not in _COLUMNS)

    @property
    def line_count(self) -> int:
        """How far reading has to go, for a progress bar."""
        return self.text.count("\n") + (not self.text.endswith("\n"))

    def rows(self) -> Iterator[Row | Fault]:
        """Every row but the header and blank lines, in order."""
        seen: dict[str, int] = {}
        for line, cells in _records(self.text, self.delimiter, self.path):
            if line == 1 or not any(cell.strip() for cell in cells):
                continue
            try:
                row = self._row(line, cells)
            except InputError as error:
                yield Fault(line, str(error), tuple(cells))
                continue
            first = seen.setdefault(row.email, line)
            if first != line:
                yield Fault(line, f"{row.email} stands on line {first} already", tuple(cells))
            else:
                yield row

    def _row(self, line: int, cells: Sequence[str]) -> Row:
        if any(cell.strip() for cell in cells[len(self.header) :]):
            raise InputError(f"{len(cells)} cells where the header has {len(self.header)}: quote cells with commas")
        values = {field: one_line(cell) for field, cell in zip(self.fields, cells, strict=False) if field}
        for field, value in values.items():
            if "\x00" in value:
                raise InputError(f"{field} holds a NUL character")
            if field != "email" and len(value) > MAX_VALUE:
                raise InputError(f"{field} is longer than {MAX_VALUE} characters")
        return Row(
            line=line,
            email=normalise(values.get("email", "")),
            first_name=values.get("first_name", ""),
            last_name=values.get("last_name", ""),
            attributes={name: values[name] for name in self.attribute_names if values.get(name)},
        )


def open_csv(path: Path) -> CsvFile:
    """Read a file and understand its header.

    Raises InputError for a file that is missing or empty, SourceError for one that is not UTF-8 or has no column of
    addresses.
    """
    text = read_utf8(path)
    if not text.strip():
        raise InputError(f"{path}: the file is empty")
    header_line = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=header_line.count)
    header = next((cells for _, cells in _records(text, delimiter, str(path))), [])
    fields = tuple(_field(name) for name in header)
    if "email" not in fields:
        found = ", ".join(name.strip() for name in header) or "nothing"
        raise SourceError(
            f"no column holds addresses: the header has {found[:200]}; name one “email”", path=str(path), line=1
        )
    twice = {name for name in fields if name and fields.count(name) > 1}
    if twice:
        raise SourceError(f"two columns mean {sorted(twice)[0]}: rename one", path=str(path), line=1)
    return CsvFile(str(path), tuple(header), fields, delimiter, text)


def _records(text: str, delimiter: str, path: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter)
    line = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise SourceError(f"not CSV: {error}", path=path, line=reader.line_num) from None
        yield line, cells
        line = reader.line_num + 1


def _field(name: str) -> str:
    slug = slugify(name)
    for field, names in _COLUMNS.items():
        if slug in names:
            return field
    return slug.replace("-", "_")
