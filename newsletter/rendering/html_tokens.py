"""HTML of an editor's own, sanitised by nh3 and taken apart into tokens like Markdown's."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Literal

import nh3
from markdown_it.token import Token

INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "br", "cite", "del", "dfn", "em", "i", "ins", "kbd", "mark", "q", "s", "small"}
    | {"span", "strong", "sub", "sup", "u", "var"}
)
# What the text part calls them, too.
_TYPES = {
    "p": "paragraph",
    "ul": "bullet_list",
    "ol": "ordered_list",
    "li": "list_item",
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "heading"),
    **{tag: tag for tag in ("blockquote", "div", "hr", "table", "thead", "tbody", "tr", "th", "td")},
}
BLOCK = frozenset(_TYPES)
# These go with all that they hold.
DANGEROUS = frozenset({"script", "style", "iframe", "object", "noscript", "template", "textarea", "select", "svg"})
_ATTRIBUTES = {
    "*": {"dir", "lang", "title"},
    "a": {"href"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}


def html_tokens(html: str, lines: list[int] | None = None) -> list[Token]:
    """Sanitised `html` as balanced tokens, each placed at `lines`."""
    reader = _Reader(lines)
    reader.feed(_cleaned(html))
    reader.close()
    return reader.done()


class _Reader(HTMLParser):
    """Reads balanced HTML. What cannot stand where it does, such as a paragraph in a link, leaves only its words."""

    def __init__(self, lines: list[int] | None) -> None:
        super().__init__()
        self._lines = lines
        self._made: list[Token] = []
        self._words: list[Token] = []
        self._open: list[tuple[str, bool]] = []  # each with whether it was passed on
        self._blocks: list[str] = []
        self._among_words = 0  # how many elements are open there

    def done(self) -> list[Token]:
        self._end_words()
        return self._made

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "br":
            self._words.append(Token("hardbreak", "br", 0))
        elif tag in INLINE:
            kept = tag != "a" or ("href" in attributes and ("a", True) not in self._open)
            self._open.append((tag, kept))
            if kept:
                self._among_words += 1
                self._words.append(Token("link_open" if tag == "a" else "html_open", tag, 1, attrs={**attributes}))
        else:
            kept = not self._among_words
            if tag != "hr":
                self._open.append((tag, kept))
            if kept:
                self._block(tag, 0 if tag == "hr" else 1, attributes)

    def handle_endtag(self, tag: str) -> None:
        _, kept = self._open.pop()
        if kept and tag in INLINE:
            self._among_words -= 1
            self._words.append(Token("link_close" if tag == "a" else "html_close", tag, -1))
        elif kept:
            self._block(tag, -1, {})

    def handle_data(self, data: str) -> None:
        if self._words or data.strip():
            self._words.append(Token("text", "", 0, content=data.replace("\n", " ")))

    def _block(self, tag: str, nesting: Literal[-1, 0, 1], attributes: dict[str, str]) -> None:
        self._end_words()
        if nesting == -1:
            self._blocks.pop()
        elif nesting == 1:
            self._blocks.append(tag)
        kind = _TYPES[tag] + {1: "_open", 0: "", -1: "_close"}[nesting]
        self._add(Token(kind, tag, nesting, attrs={**attributes}, block=True))

    def _end_words(self) -> None:
        if not self._words:
            return
        loose = self._blocks[-1:] in (["ul"], ["ol"])
        if loose:
            self._add(Token("list_item_open", "li", 1))
        self._add(Token("inline", "", 0, children=self._words))
        if loose:
            self._add(Token("list_item_close", "li", -1))
        self._words = []

    def _add(self, token: Token) -> None:
        token.map = self._lines and list(self._lines)
        self._made.append(token)


def _cleaned(html: str) -> str:
    """`html` with harmless elements and attributes only, balanced."""
    return nh3.clean(
        html,
        tags=set(INLINE | BLOCK),
        clean_content_tags=set(DANGEROUS),
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
    )
