"""How much an issue may hold: beyond that it is a mistake, or no longer a newsletter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from markdown_it.token import Token

from newsletter.errors import SourceError

MAX_BYTES = 1_000_000
MAX_PICTURES = 300
MAX_LINKS = 500
MAX_LINES = 10_000
MAX_MARKS = 20_000
# What Markdown looks at again and again, in case it begins something.
_MARK = re.compile(r"[\[<*&]")


def check_size(source: str, path: str) -> None:
    """Raise SourceError for a source of more than MAX_BYTES, with the line that goes beyond."""
    # Four bytes are the most that a character takes.
    if len(source) * 4 <= MAX_BYTES:
        return
    encoded = source.encode("utf-8", "replace")
    if len(encoded) > MAX_BYTES:
        line = encoded.count(b"\n", 0, MAX_BYTES) + 1
        raise SourceError("the issue is over 1 MB: split the issue", path=path, line=line)


def check_work(source: str, path: str) -> None:
    """Raise SourceError where Markdown would be busy for long: for the first line, or mark, that is one too many."""
    if source.count("\n") > MAX_LINES:
        raise SourceError(f"more than {MAX_LINES:,} lines: split the issue", path=path, line=MAX_LINES + 1)
    beyond = next(islice(_MARK.finditer(source), MAX_MARKS, None), None)
    if beyond:
        line = source.count("\n", 0, beyond.start()) + 1
        raise SourceError(f"more than {MAX_MARKS:,} of [ < * & together: split the issue", path=path, line=line)


def check_counts(tokens: Iterable[Token], path: str) -> None:
    """Raise SourceError for the first picture or link that is one too many."""
    pictures = links = 0
    for token, line in _inline(tokens):
        pictures += token.type == "image"
        links += token.type == "link_open"
        if pictures > MAX_PICTURES:
            raise SourceError(f"more than {MAX_PICTURES} pictures: split the issue", path=path, line=line)
        if links > MAX_LINKS:
            raise SourceError(f"more than {MAX_LINKS} links: split the issue", path=path, line=line)


def _inline(tokens: Iterable[Token]) -> Iterator[tuple[Token, int | None]]:
    line = None
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        for child in token.children or []:
            yield child, line
