"""Where each recipient's own words and tokens go: placeholders in, parts of a template out."""

from __future__ import annotations

import re

from newsletter.rendering.content import CLICK_TOKEN, OPEN_TOKEN, UNSUBSCRIBE_TOKEN
from newsletter.rendering.merge_tags import TagBook
from newsletter.rendering.template import Control, Escape, Part, Template, Value, Variable

_ELEMENT = re.compile(r'<[A-Za-z](?:[^">]|"[^"]*")*>')


class Holes:
    """Placeholders for what the sender fills in, beside those of the merge tags."""

    def __init__(self, book: TagBook) -> None:
        self._book = book
        self._names = (OPEN_TOKEN, CLICK_TOKEN, UNSUBSCRIBE_TOKEN)
        self._variables = [f"{book.nonce}v{index}z" for index in range(len(self._names))]
        nonce = book.nonce
        # A line of conditions leaves nothing behind, neither itself nor the empty line after it.
        self._pattern = re.compile(rf"(?:<!--(?:{nonce}\d+z\s*)+-->\n*)|{nonce}v?\d+z")

    def hole(self, name: str) -> str:
        return self._variables[self._names.index(name)]

    def cut(self, text: str, *, html: bool) -> Template:
        """`text` cut at its placeholders."""
        escapes = self._escapes(text) if html else {}
        parts: list[Part] = []
        end = 0
        for match in self._pattern.finditer(text):
            if match.start() > end:
                parts.append(text[end : match.start()])
            end = match.end()
            if match.group() in self._variables:
                parts.append(Variable(self._names[self._variables.index(match.group())]))
            else:
                escape = escapes.get(match.start(), Escape.HTML if html else Escape.TEXT)
                parts += self._tags(match.group(), escape)
        if end < len(text):
            parts.append(text[end:])
        return tuple(parts)

    def _escapes(self, html: str) -> dict[int, Escape]:
        """What a value must be made safe for, by position, for the holes that stand inside an element's tag."""
        return {
            hole.start(): _escape_in(html[tag.start() : hole.start()])
            for tag in _ELEMENT.finditer(html)
            for hole in self._pattern.finditer(html, tag.start(), tag.end())
        }

    def _tags(self, found: str, escape: Escape) -> list[Part]:
        return [Control(tag.source) if tag.control else Value(tag.source, escape) for tag in self._book.find(found)]


def _escape_in(tag: str) -> Escape:
    """What a value put at the end of this piece of a tag is: part of an address, a whole one, or other text."""
    attribute = re.search(r'\b(?:href|src)="([^"]*)$', tag)
    if attribute is None:
        return Escape.HTML
    return Escape.URL if attribute.group(1) else Escape.WHOLE_URL
