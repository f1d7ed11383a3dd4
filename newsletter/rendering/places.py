"""Where a piece of MJML was written: marks before its elements carry file and line through Jinja and includes."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from jinja2.ext import Extension

from newsletter.errors import SourceError

# Private-use characters: nobody writes them, and neither Jinja nor HTML gives them a meaning.
_MARK = re.compile("\ue000([^\ue000\ue001]*):([0-9]+)\ue001")
_TAG = re.compile(r"</?mj(?=[-l])")


def mark(source: str, file: str) -> str:
    """`source` with a mark before every MJML tag; lines count from 1."""
    line, counted = 1, 0

    def marked(tag: re.Match[str]) -> str:
        nonlocal line, counted
        line += source.count("\n", counted, tag.start())
        counted = tag.start()
        return f"\ue000{file}:{line}\ue001{tag[0]}"

    return _TAG.sub(marked, source)


class MarkLines(Extension):
    """Lets Jinja mark each template as it is loaded."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return mark(source, filename or name or "")


@dataclass(frozen=True, slots=True)
class Placed:
    """MJML without its marks, which are kept beside it: their offsets in order, and the place from there on."""

    text: str
    offsets: tuple[int, ...]
    places: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, marked: str, origin: str) -> Placed:
        """Take the marks out. What stands before the first one is counted from `origin`'s first line."""
        pieces: list[str] = []
        offsets, places = [0], [(origin, 1)]
        end = length = 0
        for found in _MARK.finditer(marked):
            piece = marked[end : found.start()]
            pieces.append(piece)
            length += len(piece)
            offsets.append(length)
            places.append((found[1], int(found[2])))
            end = found.end()
        return cls("".join([*pieces, marked[end:]]), tuple(offsets), tuple(places))

    def fault(self, offset: int, message: str) -> SourceError:
        """An error at the file and line that the text at `offset` comes from."""
        index = bisect_right(self.offsets, offset) - 1
        file, line = self.places[index]
        # Loops and conditions may have added lines since the mark; only where there are no marks do they count.
        if len(self.places) == 1:
            line += self.text.count("\n", 0, offset)
        return SourceError(message, path=file, line=line)
