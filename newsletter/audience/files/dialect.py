"""How the cells of a text file are told apart."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from clevercsv.detect import Detector
from clevercsv.exceptions import Error as CleverError

from newsletter.errors import InputError

DELIMITERS = ",;\t|"
QUOTES = "\"'"
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE_LINES = 60
_MAX_SAMPLE_LINE = 2000


@dataclass(frozen=True, slots=True)
class Dialect:
    """One character between cells, one around them; `quote` is empty where quotes mean nothing.

    In a `spaced` file spaces stand between the delimiter and a quote.
    """

    delimiter: str
    quote: str = '"'
    spaced: bool = False

    def __str__(self) -> str:
        quote = f"quote {self.quote}" if self.quote else "no quotes"
        spaces = " and spaces" if self.spaced else ""
        return f"{_NAMES.get(self.delimiter, self.delimiter)}{spaces}, {quote}"


def delimiter_of(word: str) -> str:
    """The delimiter a person asked for, by sign or by name. Raises InputError for any other."""
    for sign, name in _NAMES.items():
        if word.lower() in (sign, name) or (sign == "\t" and word == "\\t"):
            return sign
    raise InputError(f"“{word[:20]}” is no delimiter: say {', '.join(_NAMES.values())}")


def quote_of(word: str) -> str:
    """The quote a person asked for, “none” for no quoting. Raises InputError for any other."""
    if word == "none":
        return ""
    if len(word) == 1 and word in QUOTES:
        return word
    raise InputError(f"“{word[:20]}” is no quote: say \", ' or none")


def find_dialect(sample: str, is_header: Callable[[list[str]], bool]) -> Dialect:
    """The dialect under which the first line is a header and the rest is most like a table.

    `sample` is the first lines of a file; `is_header` says whether cells are the names of columns.
    """
    lines = _lines(sample)
    if not lines:
        return Dialect(",")
    guessed = _guess("\n".join(lines).replace("\0", "") + "\n")
    others = sorted(DELIMITERS, key=lambda delimiter: -lines[0].count(delimiter))
    candidates = [guessed, *(Dialect(delimiter) for delimiter in others)]
    found = next((dialect for dialect in candidates if is_header(_split(lines[0], dialect))), None)
    if found is None and guessed.delimiter not in lines[0] and others[0] in lines[0]:
        # The guess is of what stands inside the cells.
        found = Dialect(others[0], guessed.quote)
    return found or guessed


def is_spaced(sample: str, dialect: Dialect) -> bool:
    """Whether quotes in the sample only make sense where spaces before them are passed over."""
    if not dialect.quote:
        return False
    lines = [f"{without_spaces_behind(line, dialect)}\n" for line in _lines(sample)]
    try:
        plain = [_stripped(cells) for cells in _reader(lines, dialect)]
        passed = [_stripped(cells) for cells in _reader(lines, replace(dialect, spaced=True), strict=True)]
    except csv.Error:
        return False
    return plain != passed and len({len(cells) for cells in passed}) == 1


def without_spaces_behind(line: str, dialect: Dialect) -> str:
    """The line without spaces between a closing quote and the delimiter, which no parser passes over."""
    quote, delimiter = re.escape(dialect.quote), re.escape(dialect.delimiter)
    return re.sub(rf"{quote} +(?={delimiter}|$)", dialect.quote, line)


def _lines(sample: str) -> list[str]:
    return [line[:_MAX_SAMPLE_LINE] for line in sample.splitlines() if line.strip()][:SAMPLE_LINES]


def _stripped(cells: list[str]) -> list[str]:
    return [cell.lstrip(" ") for cell in cells]


def _reader(lines: list[str], dialect: Dialect, *, strict: bool = False) -> Iterator[list[str]]:
    return csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        skipinitialspace=dialect.spaced,
        strict=strict,
    )


def _guess(text: str) -> Dialect:
    try:
        found = Detector().detect(text, delimiters=list(DELIMITERS))
    except CleverError:
        found = None
    if found is None:
        return Dialect(",")
    quote = found.quotechar if found.quotechar and found.quotechar in QUOTES else '"'
    return Dialect(found.delimiter or ",", quote)


def _split(line: str, dialect: Dialect) -> list[str]:
    return next(csv.reader([line], delimiter=dialect.delimiter, quotechar=dialect.quote), [])
