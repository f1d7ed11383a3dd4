"""From Markdown's tokens to blocks."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it.token import Token

from newsletter.errors import SourceError
from newsletter.rendering.blocks import Block, Divider, Entry, Prose, Quote, RawMjml, Rich, TagLine
from newsletter.rendering.directives import read_directive, refuse_images
from newsletter.rendering.elements import Element, elements_of, joined, lone_image
from newsletter.rendering.footnotes import FOOTNOTES
from newsletter.rendering.line_rules import MJML_TOKEN, TAG_TOKEN
from newsletter.rendering.markdown import OPENING, line_of, name_and_title, plain
from newsletter.rendering.merge_tags import TagBook

# Inside quotations, lists and boxes they are boxes and links among the text.
_NESTABLE = frozenset({"button", "callout"})


def read_blocks(tokens: Sequence[Token], book: TagBook, path: str) -> tuple[Block, ...]:
    """Group the top-level tokens of an issue. Raises SourceError for a directive that holds the wrong thing."""
    blocks: list[Block] = []
    prose: list[Element] = []

    def end_prose() -> None:
        if prose:
            blocks.append(Prose(Rich(joined(prose))))
            prose.clear()

    for token in tokens:
        _demote_title(token)
    elements = elements_of(tokens)
    headings = _number_headings(elements, book)
    for element in elements:
        _refuse_nested(element, path)
        block = _block(element, headings, book, path)
        if element[0].type == f"{FOOTNOTES}_open":
            end_prose()
            blocks.append(Divider())
        if block is None:
            refuse_images([element], path)
            prose.append(element)
        else:
            end_prose()
            blocks.append(block)
    end_prose()
    return tuple(blocks)


def _block(element: Element, headings: tuple[Entry, ...], book: TagBook, path: str) -> Block | None:
    first, inner = element[0], tuple(element[1:-1])
    match first.type:
        case "blockquote_open":
            refuse_images([element], path)
            return Quote(Rich(inner))
        case "hr":
            return Divider()
        case "paragraph_open":
            return lone_image(element)
        case kind if kind == TAG_TOKEN:
            return TagLine(first.content)
        case kind if kind == MJML_TOKEN:
            return RawMjml(first.content, line_of(first))
        case kind if kind == OPENING:
            return read_directive(element, headings, book, path)
    return None


def _number_headings(elements: Sequence[Element], book: TagBook) -> tuple[Entry, ...]:
    """Give every second-level heading an id. Not every reader sees those inside conditions: they are not listed."""
    entries: list[Entry] = []
    conditions = number = 0
    for element in elements:
        if element[0].type == TAG_TOKEN:
            keywords = [tag.keyword for tag in book.find(element[0].content)]
            conditions += keywords.count("if") - keywords.count("endif")
        if element[0].tag != "h2":
            continue
        number += 1
        element[0].attrSet("id", f"s-{number}")
        text = plain([child for token in element for child in token.children or []]).strip()
        if text and not conditions:
            entries.append(Entry(f"s-{number}", text))
    return tuple(entries)


def _refuse_nested(element: Element, path: str) -> None:
    for token in element[1:]:
        if token.type not in (OPENING, MJML_TOKEN):
            continue
        name, _ = name_and_title(token)
        if name not in _NESTABLE:
            raise SourceError(
                f"::: {name} stands alone: put it outside lists, quotes and boxes", path=path, line=line_of(token)
            )


def _demote_title(token: Token) -> None:
    # The title is the message's only h1.
    if token.tag == "h1":
        token.tag = "h2"
