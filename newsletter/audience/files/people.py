"""The JSON of our own exports, a person a line -> records, as its CSV would have them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any

from newsletter.audience.cells import as_cell, check_letters
from newsletter.audience.files.blob import Blob
from newsletter.audience.files.records import MAX_LINE, Record
from newsletter.audience.formulas import escaped
from newsletter.errors import InputError, SourceError

_BEGINNING = 64


def holds_people(blob: Blob) -> bool:
    """Whether it begins as an array of objects does."""
    with blob.open() as stream:
        return b"".join(stream.read(_BEGINNING).split()).startswith(b"[{")


def people_records(stream: IO[bytes], name: str) -> Iterator[Record]:
    """A header, and whoever follows; a fault in a line costs only that one.

    Raises SourceError where the first line is no person.
    """
    header: list[str] = []
    for line, words in _lines(stream, name):
        try:
            facts = _person(words)
            if not header:
                header = list(facts)
                yield line, header, ""
            cells = [escaped(as_cell(facts.pop(name, None))) for name in header]
        except InputError as error:
            if not header:
                raise SourceError(
                    "is JSON, but not with a person a line, as `newsletter export` writes it: save it as CSV",
                    path=name,
                    line=line,
                ) from None
            yield line, [words.decode(errors="replace")], str(error)
            continue
        strange = ", ".join(facts)
        yield line, cells, f"the first person has no {strange[:80]}: is this another export?" if strange else ""


def _lines(stream: IO[bytes], name: str) -> Iterator[tuple[int, bytes]]:
    """Every line that has somebody in it, without what parts them."""
    for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE), b""), start=1):
        if len(line) == MAX_LINE:
            raise SourceError(f"a line of more than {MAX_LINE:,} bytes: is this an export?", path=name, line=number)
        words = line.strip().removeprefix(b"[").removesuffix(b"]").strip().removesuffix(b",")
        if words:
            yield number, words


def _person(words: bytes) -> dict[str, Any]:
    try:
        found = json.loads(words)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError("not a person as `newsletter export` writes one")
    if b"\\u" in words:
        check_letters(json.dumps(found, ensure_ascii=False))
    return found
