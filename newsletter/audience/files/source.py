"""A file opened: the tables of people in it, each with its header understood."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import file_digest
from io import TextIOWrapper
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from newsletter.audience.files.blob import DAMAGED, Blob, file_blob, member_blobs
from newsletter.audience.files.people import holds_people, people_records
from newsletter.audience.files.records import Record
from newsletter.audience.files.sheet import open_workbook, sheet_records
from newsletter.audience.files.text import TextFormat, read_text, text_format
from newsletter.audience.mapping import ColumnMap, map_columns
from newsletter.audience.presets.known import preset_named
from newsletter.errors import InputError, SourceError
from newsletter.text import one_line

_WORKBOOK = "xl/workbook.xml"
_TOLD_EVERY = 256
_ENDINGS = (".csv", ".tsv", ".txt", ".xlsx", ".json")


@dataclass(frozen=True, slots=True)
class ReadAs:
    """How a person says a file is to be read; whatever is left out is found out."""

    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    preset: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of people. `records` gives all after the header, and tells how many of `size` it has read."""

    name: str
    form: str
    header: tuple[str, ...]
    columns: ColumnMap
    size: int
    records: Callable[[Callable[[int], None]], Iterator[Record]]


@dataclass(frozen=True, slots=True)
class Source:
    """`digest` is the SHA-256 of the file's bytes; `left_out` says which parts of it are no tables of people."""

    path: Path
    digest: str
    tables: tuple[Table, ...]
    left_out: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        return sum(table.size for table in self.tables)

    @property
    def says_who_agreed(self) -> bool:
        return all(table.columns.says_who_agreed for table in self.tables)

    @property
    def is_own(self) -> bool:
        """Whether an export of ours is among the tables."""
        return any(table.columns.own for table in self.tables)

    @property
    def attribute_names(self) -> list[str]:
        return sorted({name for table in self.tables for name in table.columns.attribute_names})


def open_source(path: Path, read_as: ReadAs | None = None) -> Source:
    """Open a CSV, TSV or XLSX file, JSON of ours or a ZIP of these, and understand its headers.

    What is in it is told by its bytes, but for the members of a ZIP, whose endings have to be known.
    Raises InputError, or SourceError with the line, where no table of people can be made of it.
    """
    how = read_as or ReadAs()
    blob = file_blob(path)
    with path.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    try:
        archive = ZipFile(path)
    except BadZipFile:
        return Source(path, digest, (_text_table(blob, how),))
    if _WORKBOOK in archive.namelist():
        tables, left_out = _sheet_tables(blob, how)
    else:
        tables, left_out = _members(archive, how)
    if not tables:
        raise InputError(f"{path}: {left_out[0] if left_out else 'there is nothing in it'}")
    return Source(path, digest, tuple(tables), tuple(left_out))


def _members(archive: ZipFile, how: ReadAs) -> tuple[list[Table], list[str]]:
    tables: list[Table] = []
    left_out: list[str] = []
    for blob in member_blobs(archive):
        ending = Path(blob.name).suffix.lower()
        if ending not in _ENDINGS:
            left_out.append(f"{blob.name}: neither CSV nor TSV nor XLSX nor JSON")
            continue
        try:
            if ending == ".xlsx":
                sheets, others = _sheet_tables(blob, how)
                tables += sheets
                left_out += others
            else:
                tables.append(_text_table(blob, how))
        except InputError as error:
            left_out.append(str(error))
        except DAMAGED as error:
            left_out.append(_damaged(blob, error))
    return tables, left_out


def _sheet_tables(blob: Blob, how: ReadAs) -> tuple[list[Table], list[str]]:
    workbook = open_workbook(blob)
    tables: list[Table] = []
    left_out: list[str] = []
    for sheet in workbook.sheet_names:
        name = f"{blob.name}, sheet {sheet}" if len(workbook.sheet_names) > 1 else blob.name
        rows = list(sheet_records(workbook, sheet))
        start = next((at for at, (_, cells, _) in enumerate(rows) if any(cells)), None)
        if start is None:
            left_out.append(f"{name}: the sheet is empty")
            continue
        line, header, _ = rows[start]
        try:
            columns = _mapped(name, line, header, blob.name, how)
        except InputError as error:
            left_out.append(str(error))
            continue
        body = rows[start + 1 :]
        tables.append(Table(name, "XLSX", tuple(header), columns, len(body), _counted(body)))
    return tables, left_out


def _counted(rows: list[Record]) -> Callable[[Callable[[int], None]], Iterator[Record]]:
    def records(on_read: Callable[[int], None]) -> Iterator[Record]:
        for done, record in enumerate(rows, start=1):
            yield record
            on_read(done)

    return records


def _people_table(blob: Blob, how: ReadAs) -> Table:
    def read() -> Iterator[tuple[Record, int]]:
        with blob.open() as stream:
            try:
                for record in people_records(stream, blob.name):
                    yield record, stream.tell()
            except DAMAGED as error:
                raise InputError(_damaged(blob, error)) from None

    (line, header, _), _ = next(read())

    def records(on_read: Callable[[int], None]) -> Iterator[Record]:
        found = read()
        next(found)
        for record, done in found:
            yield record
            on_read(done)

    columns = _mapped(blob.name, line, header, blob.name, how)
    return Table(blob.name, "JSON", tuple(header), columns, blob.size, records)


def _text_table(blob: Blob, how: ReadAs) -> Table:
    if holds_people(blob):
        return _people_table(blob, how)
    form = text_format(blob, how.encoding, how.delimiter, how.quote)
    line, header, _ = next(_from_header(blob, form, lambda _done: None), (0, [], ""))
    if not header:
        raise InputError(f"{blob.name}: the file is empty")
    columns = _mapped(blob.name, line, header, blob.name, how)

    def records(on_read: Callable[[int], None]) -> Iterator[Record]:
        found = _from_header(blob, form, on_read)
        next(found)
        return found

    return Table(blob.name, str(form), tuple(header), columns, blob.size, records)


def _from_header(blob: Blob, form: TextFormat, on_read: Callable[[int], None]) -> Iterator[Record]:
    """The header and all that follows it; a line that only names the delimiter (Excel's “sep=;”) is no header."""
    with blob.open() as stream, TextIOWrapper(stream, form.encoding.codec, form.errors) as text:
        begun = False
        try:
            for record in read_text(text, form, blob.name):
                begun = begun or (any(cell.strip() for cell in record[1]) and not record[1][0].startswith("sep="))
                if begun:
                    yield record
                    if record[0] % _TOLD_EVERY == 0:
                        on_read(stream.tell())
        except DAMAGED as error:
            raise InputError(_damaged(blob, error)) from None


def _damaged(blob: Blob, error: Exception) -> str:
    return f"{blob.name}: the archive is damaged here ({one_line(str(error))}): get it anew"


def _mapped(name: str, line: int, header: list[str], file_name: str, how: ReadAs) -> ColumnMap:
    preset = preset_named(how.preset) if how.preset else None
    try:
        return map_columns(header, file_name, preset, how.columns)
    except InputError as error:
        raise SourceError(str(error), path=name, line=line) from None
