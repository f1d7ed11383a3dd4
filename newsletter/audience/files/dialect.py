"""How the cells of a text file are told apart."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass

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
    """One character between cells, one around them; `quote` is empty where quotes mean nothing."""

    delimiter: str
    quote: str = '"'

    def __str__(self) -> str:
        quote = f"quote {self.quote}" if self.quote else "no quotes"
        return f"{_NAMES.get(self.delimiter, self.delimiter)}, {quote}"


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
    lines = [line[:_MAX_SAMPLE_LINE] for line in sample.splitlines() if line.strip()][:SAMPLE_LINES]
    if not lines:
        return Dialect(",")
    guessed = _guess("\n".join(lines).replace("\0", "") + "\n")
    others = sorted(DELIMITERS, key=lambda delimiter: -lines[0].count(delimiter))
    candidates = [guessed, *(Dialect(delimiter) for delimiter in others)]
    return next((dialect for dialect in candidates if is_header(_split(lines[0], dialect))), guessed)


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
