"""Files of delimited text: their encoding and dialect found, their records read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import TextIOWrapper
from typing import TextIO

from newsletter.audience.columns import holds_addresses
from newsletter.audience.files.blob import Blob
from newsletter.audience.files.dialect import SAMPLE_LINES, Dialect, delimiter_of, find_dialect, is_spaced, quote_of
from newsletter.audience.files.encoding import Encoding, find_encoding, named_encoding
from newsletter.audience.files.records import Record, read_records

_MAX_SAMPLE_LINE = 1 << 16
_DAMAGE = re.compile("[\udc80-\udcff\ufffd]")


@dataclass(frozen=True, slots=True)
class TextFormat:
    """How the bytes of a text file become cells."""

    encoding: Encoding
    dialect: Dialect

    def __str__(self) -> str:
        return f"{self.encoding.name}, {self.dialect}"

    @property
    def errors(self) -> str:
        """What Python's decoder does with bytes that are not of the encoding, so that they can be told."""
        return "replace" if self.encoding.codec.startswith("utf-16") else "surrogateescape"


def text_format(blob: Blob, encoding: str | None, delimiter: str | None, quote: str | None) -> TextFormat:
    """The format of a file, found out but for what a person says. Raises InputError for what they may not say."""
    found = named_encoding(encoding) if encoding else find_encoding(blob)
    chosen = delimiter_of(delimiter) if delimiter else None
    quoted = quote_of(quote) if quote else None
    with blob.open() as stream, TextIOWrapper(stream, found.codec, "replace") as text:
        lines = (text.readline(_MAX_SAMPLE_LINE) for _ in range(SAMPLE_LINES))
        sample = "".join(line for line in lines if not line.startswith("sep="))
    guessed = find_dialect(sample, holds_addresses)
    dialect = Dialect(chosen or guessed.delimiter, guessed.quote if quoted is None else quoted)
    return TextFormat(found, replace(dialect, spaced=is_spaced(sample, dialect)))


def read_text(text: TextIO, form: TextFormat, name: str) -> Iterator[Record]:
    """The records of a file; one with bytes that are not of the encoding is faulty, its bad letters shown as “�”."""
    records = read_records(text, form.dialect, name)
    if not form.encoding.damaged:
        return records
    return (_examined(record, form.encoding.name) for record in records)


def _examined(record: Record, encoding: str) -> Record:
    line, cells, reason = record
    if not _DAMAGE.search("".join(cells)):
        return record
    return line, [_DAMAGE.sub("\ufffd", cell) for cell in cells], reason or f"some of its bytes are not {encoding}"
