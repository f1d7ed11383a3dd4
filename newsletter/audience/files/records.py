"""Delimited text -> records, where a fault in one costs only that one."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

from newsletter.audience.files.dialect import Dialect, without_spaces_behind
from newsletter.errors import SourceError

# The line a record starts on (from 1), its cells, and why it cannot be read ("" when it can).
Record = tuple[int, list[str], str]

MAX_LINE = 1 << 24
# A quote that opens and never closes would swallow the rest of the file.
MAX_LINES_A_RECORD = 1000
_STRAY = "a stray quote: write quotes inside a cell twice, or leave them out"
_UNCLOSED = "a quote opens here and does not close"


class _RunawayError(Exception):
    """A record has gone on for too many lines."""


class _Lines:
    """Physical lines, where those of a record that failed can be given back to be read again."""

    def __init__(self, text: TextIO, name: str) -> None:
        self._text = text
        self._name = name
        self._again: deque[str] = deque()
        self._read = 0
        self.held: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._next()
        self.held.append(line)
        if len(self.held) > MAX_LINES_A_RECORD:
            raise _RunawayError
        return line

    def give_back(self) -> str:
        """The first line of the record being read; all others of it come again."""
        first, *others = self.held
        self._again.extendleft(reversed(others))
        self.held.clear()
        return first

    def _next(self) -> str:
        line = self._text.readline(MAX_LINE)
        if not line:
            raise StopIteration
        self._read += 1
        if len(line) == MAX_LINE and line[-1] != "\n":
            raise SourceError(
                f"a line of more than {MAX_LINE:,} characters: is this a table?", path=self._name, line=self._read
            )
        return line


def read_records(text: TextIO, dialect: Dialect, name: str) -> Iterator[Record]:
    """Every record, blank lines as records without cells. Line breaks must be "\\n" by now.

    Raises SourceError for a line that is too long to be one of a table.
    """
    lines = _Lines(text, name)
    line = 1
    while True:
        reader = csv.reader(
            lines,
            delimiter=dialect.delimiter,
            quotechar=dialect.quote or None,
            quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
            skipinitialspace=dialect.spaced,
            strict=True,
        )
        try:
            for cells in reader:
                yield line, cells, ""
                line += len(lines.held)
                lines.held.clear()
        except (csv.Error, _RunawayError) as error:
            first = lines.give_back()
            cells = _mended(first, dialect)
            yield line, cells or [first.rstrip("\n")], "" if cells else _reason(error)
            line += 1
        else:
            return


def _mended(line: str, dialect: Dialect) -> list[str]:
    """The cells of a faulty line where its fault is a backslash before a quote, as databases write it, or spaces
    behind a closing one; none where it is another."""
    mended = without_spaces_behind(line.replace(f"\\{dialect.quote}", dialect.quote * 2), dialect)
    if not dialect.quote or mended == line:
        return []
    try:
        return next(
            csv.reader(
                [mended],
                delimiter=dialect.delimiter,
                quotechar=dialect.quote,
                skipinitialspace=dialect.spaced,
                strict=True,
            )
        )
    except csv.Error:
        return []


def _reason(error: Exception) -> str:
    words = str(error)
    if isinstance(error, _RunawayError) or "unexpected end of data" in words:
        return _UNCLOSED
    if "expected after" in words:
        return _STRAY
    if "larger than field limit" in words:
        return f"a cell of more than {csv.field_size_limit():,} characters"
    return f"not CSV: {words}"
