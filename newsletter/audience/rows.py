"""Cells -> rows: each good one in the form it is staged in, each bad one refused with its reason."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from itertools import islice
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from newsletter.audience.cells import as_staged, ip_in, time_in
from newsletter.audience.columns import Field
from newsletter.audience.formulas import unescaped
from newsletter.audience.mapping import ColumnMap
from newsletter.audience.statuses import Status, read_status
from newsletter.audience.zones import zone_name
from newsletter.errors import InputError
from newsletter.languages import language_tag
from newsletter.mail.addresses import normalise
from newsletter.mail.suspects import suspect
from newsletter.text import one_line

MAX_NAME = 200
MAX_ATTRIBUTE = 2000
MAX_TAG = 100
# Of attributes in JSON: beyond that, a name is no column but a value in the wrong place.
MAX_NAMES = 1000
_LOCALE = {Field.LANGUAGE: language_tag, Field.TIMEZONE: zone_name}


class Row(NamedTuple):
    """A person as the file has them. `attributes` and `tags` are JSON, sorted; times are UTC, ISO 8601."""

    line: int
    email: str
    status: int
    first_name: str
    last_name: str
    language: str
    timezone: str
    attributes: str
    tags: str
    opted_in_at: str | None
    opted_in_ip: str | None
    confirmed_at: str | None
    confirmed_ip: str | None


class Remark(NamedTuple):
    """Something to look at in a row that goes in all the same; `kind` is what it is counted under."""

    kind: str
    words: str


class RowReader:
    """Reads the rows of one table; what the columns mean is worked out once.

    `names` are the attributes that it found in columns of JSON, at most MAX_NAMES of them.
    """

    def __init__(self, columns: ColumnMap) -> None:
        self.names: set[str] = set()
        self._width = len(columns.columns)
        self._is_own = columns.own
        self._file_status = columns.status
        self._statuses = [(at, column.words) for at, column in enumerate(columns.columns) if column.words]
        places = {column.field: at for at, column in enumerate(columns.columns) if column.field}
        self._email = places[Field.EMAIL]
        self._first_name, self._last_name = places.get(Field.FIRST_NAME, -1), places.get(Field.LAST_NAME, -1)
        self._full_name = places.get(Field.NAME, -1)
        self._tags = places.get(Field.TAGS, -1)
        # Those of our own are as they should be, no-break spaces and all.
        self._around_tags = " " if columns.own else None
        self._json = places.get(Field.ATTRIBUTES, -1)
        self._locale = [places.get(field, -1) for field in _LOCALE]
        self._has_locale = max(*self._locale, self._json) >= 0
        # Sorted, so that the same attributes are the same text whatever the order of a file's columns.
        named = sorted((column.attribute, at) for at, column in enumerate(columns.columns) if column.attribute)
        self._attributes = [(name, f"{encode_basestring_ascii(name)}: ", at) for name, at in named]
        self._times = [places.get(field, -1) for field in (Field.OPTED_IN_AT, Field.CONFIRMED_AT)]
        self._ips = [places.get(field, -1) for field in (Field.OPTED_IN_IP, Field.CONFIRMED_IP)]
        self._has_trail = max(*self._times, *self._ips) >= 0

    def read(self, line: int, raw: Sequence[str]) -> tuple[Row, list[Remark]]:
        """The row, and what is doubtful about it. Raises InputError for a row that cannot go in."""
        # Nearly all cells are single words, and need nothing.
        cells = [
            cell if cell.isalnum() else " ".join(cell.split()) if cell.isascii() else one_line(cell) for cell in raw
        ]
        if self._is_own:
            cells = [unescaped(cell) for cell in cells]
        if len(cells) != self._width:
            cells = self._fitted(cells)
        if "\x00" in "".join(cells):
            raise InputError("a cell holds a NUL character")
        email = normalise(cells[self._email])
        status = self._status(cells) if self._statuses or self._file_status is not None else Status.SUBSCRIBED
        first_name, last_name = self._name(cells)
        doubt = suspect(email)
        remarks = [Remark(doubt.doubt.value, doubt.words)] if doubt else []
        trail: tuple[str | None, ...] = (None, None, None, None)
        if self._has_trail:
            trail = self._trail(cells, remarks)
        tags = _tags(cells[self._tags], self._around_tags) if self._tags >= 0 else "[]"
        more = _object(cells[self._json]) if self._json >= 0 and cells[self._json] else {}
        language, timezone = self._locale_of(cells, more, remarks) if self._has_locale else ("", "")
        attributes = self._attribute_json(cells, more)
        return Row(
            line, email, int(status), first_name, last_name, language, timezone, attributes, tags, *trail
        ), remarks

    def _fitted(self, cells: list[str]) -> list[str]:
        if any(cells[self._width :]):
            raise InputError(
                f"{len(cells)} cells where the header has {self._width}: quote the cells that hold the delimiter"
            )
        return [*cells[: self._width], *[""] * (self._width - len(cells))]

    def _status(self, cells: Sequence[str]) -> Status:
        said = [read_status(cells[at], words) for at, words in self._statuses]
        return min(said if self._file_status is None else [*said, self._file_status])

    def _name(self, cells: Sequence[str]) -> tuple[str, str]:
        first = cells[self._first_name] if self._first_name >= 0 else ""
        last = cells[self._last_name] if self._last_name >= 0 else ""
        if self._full_name >= 0 and not (first or last):
            first, last = _split_name(cells[self._full_name])
        if len(first) > MAX_NAME or len(last) > MAX_NAME:
            raise InputError(
                f"{'first' if len(first) > MAX_NAME else 'last'}_name is longer than {MAX_NAME} characters"
            )
        return first, last

    def _locale_of(self, cells: Sequence[str], more: dict[str, str], remarks: list[Remark]) -> list[str]:
        """Language and time zone, from their columns or out of `more` attributes; what is neither is left out."""
        found = []
        for (field, read), at in zip(_LOCALE.items(), self._locale, strict=True):
            # In an export of ours, an attribute of that name is one.
            told = "" if self._is_own else more.pop(field, "")
            cell = (cells[at] if at >= 0 else "") or told
            try:
                found.append(read(cell) if cell else "")
            except InputError as error:
                remarks.append(Remark(field.value, f"the {field.value} is left out: {error}"))
                found.append("")
        return found

    def _attribute_json(self, cells: Sequence[str], more: dict[str, str]) -> str:
        filled = []
        for name, key, at in self._attributes:
            value = cells[at]
            if value:
                if len(value) > MAX_ATTRIBUTE:
                    raise InputError(f"{name} is longer than {MAX_ATTRIBUTE:,} characters")
                filled.append(key + encode_basestring_ascii(value))
        own = "{" + ", ".join(filled) + "}"
        if more and len(self.names) < MAX_NAMES:
            self.names.update(islice(more, MAX_NAMES - len(self.names)))
        return json.dumps(dict(sorted({**more, **json.loads(own)}.items()))) if more else own

    def _trail(self, cells: Sequence[str], remarks: list[Remark]) -> tuple[str | None, ...]:
        opted_in_at, confirmed_at = (_told(_time, cells[at], remarks) if at >= 0 else None for at in self._times)
        opted_in_ip, confirmed_ip = (_told(ip_in, cells[at], remarks) if at >= 0 else None for at in self._ips)
        return opted_in_at, opted_in_ip, confirmed_at, confirmed_ip


def _split_name(name: str) -> tuple[str, str]:
    """“Ada King” and “King, Ada” are both Ada."""
    last, comma, first = name.partition(", ")
    if comma:
        return first, last
    first, _, last = name.partition(" ")
    return first, last


def _tags(cell: str, around: str | None) -> str:
    """Tags parted by commas (or semicolons, or bars, where there is no comma), each perhaps in quotes."""
    if not cell:
        return "[]"
    delimiter = next((sign for sign in ",;|" if sign in cell), ",")
    tags = {tag.strip(around) for tag in next(csv.reader([cell], delimiter=delimiter, skipinitialspace=True))}
    if any(len(tag) > MAX_TAG for tag in tags):
        raise InputError(f"a tag is longer than {MAX_TAG} characters")
    return json.dumps(sorted(tags - {""}))


def _object(cell: str) -> dict[str, str]:
    """Attributes kept as JSON; what is no text is written as JSON writes it."""
    try:
        found = json.loads(cell)
        if "\\u" in cell:
            # Half a character, which JSON can spell and no database keeps, is a ValueError too.
            json.dumps(found, ensure_ascii=False).encode()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InputError(f"“{cell[:40]}” is not a JSON object of attributes")
    return {
        str(name): one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[
            :MAX_ATTRIBUTE
        ]
        for name, value in found.items()
        if value not in (None, "", [], {}) and "\x00" not in f"{name}{value}"
    }


def _time(cell: str) -> str:
    return as_staged(time_in(cell))


def _told(read: Callable[[str], str], cell: str, remarks: list[Remark]) -> str | None:
    """What is read in a cell, left out where it cannot be."""
    if not cell:
        return None
    try:
        return read(cell)
    except InputError as error:
        remarks.append(Remark("ip" if read is ip_in else "time", f"left out: {error}"))
        return None
