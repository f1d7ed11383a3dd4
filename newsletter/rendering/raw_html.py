"""HTML in Markdown: what is harmless becomes tokens like Markdown's own, everything else is left out.

As tokens it is balanced wherever it stands, its conditions and links are seen like any other, and the text part can
write it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, field

from markdown_it.token import Token

from newsletter.errors import SourceError
from newsletter.rendering.html_tokens import BLOCK, DANGEROUS, INLINE, html_tokens
from newsletter.rendering.merge_tags import TagBook

Note = tuple[int | None, str]

_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)")
_TABLE = re.compile(r"<(?:table|t[rdh]|tbody|thead)\b", re.IGNORECASE)
_ADVICE = "Markdown reads the same in every mail program"


def sanitise(tokens: Sequence[Token], book: TagBook, path: str) -> tuple[list[Token], list[Note]]:
    """`tokens` without raw HTML, and a note on every line that held some.

    Raises SourceError for a condition inside an HTML table, which no parser leaves where it was.
    """
    made: list[Token] = []
    notes: list[Note] = []
    for token in tokens:
        line = token.map[0] + 1 if token.map else None
        if token.type == "html_block":
            _refuse_conditions_in_tables(token.content, book, path, line)
            made += html_tokens(token.content, token.map)
            notes += _notes([token.content], line)
        elif token.type == "inline" and any(child.type == "html_inline" for child in token.children or []):
            notes += _notes((child.content for child in token.children or [] if child.type == "html_inline"), line)
            token = copy(token)
            token.children = _Run().read(token.children or [])
            made.append(token)
        else:
            made.append(token)
    return made, notes


def _notes(pieces: Iterable[str], line: int | None) -> list[Note]:
    names = dict.fromkeys(name.lower() for piece in pieces for _, name in _TAG.findall(piece))
    kept = [f"<{name}>" for name in names if name in INLINE | BLOCK]
    lost = [f"<{name}>" for name in names if name not in INLINE | BLOCK]
    told = [f"{', '.join(kept)} passed on without styles and scripts"] * bool(kept)
    told += [f"{', '.join(lost)} left out"] * bool(lost)
    return [(line, f"HTML in the text: {'; '.join(told)}; {_ADVICE}")] if told else []


def _refuse_conditions_in_tables(html: str, book: TagBook, path: str, line: int | None) -> None:
    if _TABLE.search(html) and any(tag.control for tag in book.find(html)):
        raise SourceError("a condition cannot stand in an HTML table: write it in Markdown", path=path, line=line)


@dataclass(slots=True)
class _Open:
    """An element that is open: Markdown's own (no name), or HTML with its place among what was made."""

    name: str = ""
    at: int = -1
    link: bool = False


@dataclass(slots=True)
class _Run:
    """The inline tokens of one paragraph; HTML that is not closed where it was opened is left out."""

    made: list[Token | None] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)

    def read(self, children: Sequence[Token]) -> list[Token]:
        skipped = ""
        for child in children:
            closing, name = _name(child)
            if skipped:
                skipped = "" if closing and name == skipped else skipped
            elif child.type != "html_inline":
                self._markdown(child)
            elif closing:
                self._close(name)
            elif name in DANGEROUS and any(_name(other) == (True, name) for other in children):
                skipped = name
            elif name in INLINE:
                self._element(child.content, name)
        self._drop(0)
        return [token for token in self.made if token is not None]

    def _markdown(self, token: Token) -> None:
        if token.nesting == -1:
            last = max((index for index, item in enumerate(self.open) if not item.name), default=0)
            self._drop(last)
        self.made.append(token)
        if token.nesting == 1:
            self.open.append(_Open(link=token.type == "link_open"))

    def _element(self, source: str, name: str) -> None:
        if name == "br":
            self.made.append(Token("hardbreak", "br", 0))
            return
        token = _opening(source, name)
        link = name == "a"
        if token is None or (link and any(item.link for item in self.open)):
            return
        self.open.append(_Open(name, len(self.made), link))
        self.made.append(token)

    def _close(self, name: str) -> None:
        for index in range(len(self.open) - 1, -1, -1):
            item = self.open[index]
            if not item.name:
                return
            if item.name == name:
                self._drop(index + 1)
                self.open.pop()
                self.made.append(Token("link_close" if item.link else "html_close", name, -1))
                return

    def _drop(self, start: int) -> None:
        """Forget what is open from `start` on; HTML that was opened there has no end."""
        for item in self.open[start:]:
            if item.name:
                self.made[item.at] = None
        del self.open[start:]


def _name(token: Token) -> tuple[bool, str]:
    """Whether HTML closes an element, and which."""
    found = _TAG.match(token.content) if token.type == "html_inline" else None
    return (bool(found[1]), found[2].lower()) if found else (False, "")


def _opening(source: str, name: str) -> Token | None:
    """The token of an opening tag, sanitised; None for a link that leads nowhere."""
    made = html_tokens(f"{source}</{name}>")
    return next(iter(made[0].children or ()), None) if made else None
