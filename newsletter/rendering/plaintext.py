"""The plain-text part: written from the Markdown, so that it reads like a letter and not like stripped HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from newsletter.rendering.blocks import Block, Button, Callout, Image, Prose, Quote, TagLine
from newsletter.rendering.markdown import TAG_TOKEN
from newsletter.rendering.merge_tags import TagBook

WIDTH = 72
_UNDERLINES = {"h2": "-", "h3": "~"}


@dataclass(slots=True)
class TextWriter:
    """Writes blocks as text. Links become numbers, listed after the section they stand in."""

    words: Mapping[str, str]
    book: TagBook
    _seen: dict[str, int] = field(default_factory=dict)
    _due: list[str] = field(default_factory=list)
    _conditions: int = 0

    def write(self, blocks: Sequence[Block]) -> str:
        """The text of `blocks`, paragraphs parted by an empty line."""
        paragraphs = [paragraph for block in blocks for paragraph in self._block(block)]
        paragraphs += self._references()
        return "\n\n".join(paragraphs)

    def _block(self, block: Block) -> Iterator[str]:
        match block:
            case Prose(tokens=tokens):
                yield from self._elements(tokens, WIDTH)
            case Quote(tokens=tokens):
                yield _prefix("\n\n".join(self._elements(tokens, WIDTH - 2)), "> ")
            case Callout(title=title, tokens=tokens):
                inner = "\n\n".join(self._elements(tokens, WIDTH - 2))
                yield _prefix(f"{wrap(self._upper(title), WIDTH - 2)}\n\n{inner}" if title else inner, "| ")
            case Image(alt=alt, caption=caption, href=href):
                line = f"[{self.words['image']} : {alt}]" if alt else f"[{self.words['image']}]"
                yield wrap(" ".join(filter(None, [line, caption, href and self._reference(href)])), WIDTH)
            case Button(label=label, url=url):
                yield wrap(f"-> {label} {self._reference(url)}")
            case TagLine(placeholders=placeholders):
                yield self._condition(placeholders)

    def _elements(self, tokens: Sequence[Token], width: int) -> Iterator[str]:
        for node in SyntaxTreeNode(tokens).children:
            yield from self._element(node, width)

    def _element(self, node: SyntaxTreeNode, width: int) -> Iterator[str]:
        match node.type:
            case "heading":
                yield from self._heading(node, width)
            case "paragraph":
                yield wrap(self._inline(node), width)
            case "bullet_list" | "ordered_list":
                yield self._list(node, width)
            case "blockquote":
                inner = [text for child in node.children for text in self._element(child, width - 2)]
                yield _prefix("\n\n".join(inner), "> ")
            case "fence" | "code_block":
                yield textwrap.indent(node.content.rstrip("\n"), "    ")
            case "table":
                yield "\n".join(self._row(row) for part in node.children for row in part.children)
            case "hr":
                yield "* * *".center(width).rstrip()
            case type_ if type_ == TAG_TOKEN:
                yield self._condition(node.content)
            case _:
                for child in node.children:
                    yield from self._element(child, width)

    def _heading(self, node: SyntaxTreeNode, width: int) -> Iterator[str]:
        if node.tag == "h2":
            yield from self._references()
        text = wrap(self._inline(node), width)
        yield underlined(text, _UNDERLINES.get(node.tag, ""))

    def _condition(self, placeholders: str) -> str:
        """The same comment as in HTML."""
        keywords = [tag.keyword for tag in self.book.find(placeholders)]
        self._conditions += keywords.count("if") - keywords.count("endif")
        return f"<!--{placeholders}-->"

    def _upper(self, text: str) -> str:
        return text if self.book.pattern.search(text) else text.upper()

    def _list(self, node: SyntaxTreeNode, width: int) -> str:
        start = int(node.attrs.get("start", 1))
        items = []
        for number, item in enumerate(node.children, start):
            mark = f"{number}. " if node.type == "ordered_list" else "- "
            inner = [text for child in item.children for text in self._element(child, width - len(mark))]
            indented = textwrap.indent("\n".join(inner), " " * len(mark))
            items.append(f"{mark}{indented[len(mark) :]}".rstrip(" "))
        return "\n".join(items)

    def _row(self, row: SyntaxTreeNode) -> str:
        return " | ".join(self._inline(cell) for cell in row.children)

    def _inline(self, node: SyntaxTreeNode) -> str:
        return "".join(self._span(child) for inline in node.children for child in inline.children)

    def _span(self, node: SyntaxTreeNode) -> str:
        match node.type:
            case "text" | "code_inline":
                return node.content
            case "softbreak":
                return " "
            case "hardbreak":
                return "\n"
            case "link":
                inner = "".join(self._span(child) for child in node.children)
                reference = self._reference(str(node.attrs["href"]))
                return inner if reference in ("", f"<{inner}>") else f"{inner} {reference}"
            case _:
                return "".join(self._span(child) for child in node.children)

    def _reference(self, url: str) -> str:
        if url.startswith("#"):
            return ""
        if url.startswith("mailto:"):
            return f"<{url.removeprefix('mailto:').partition('?')[0]}>"
        if url not in self._seen:
            self._seen[url] = len(self._seen) + 1
            self._due.append(url)
        return f"[{self._seen[url]}]"

    def _references(self) -> Iterator[str]:
        # Inside a condition they would be listed for some readers only.
        if self._due and not self._conditions:
            yield "\n".join(f"[{self._seen[url]}] {url}" for url in self._due)
            self._due.clear()


def wrap(text: str, width: int = WIDTH) -> str:
    """`text` in lines of `width`. A no-break space keeps its words together, and an address is never cut."""
    return "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in text.split("\n")
    )


def underlined(text: str, mark: str) -> str:
    """A heading over a line of `mark`, as long as its longest line."""
    return f"{text}\n{mark * max(map(len, text.split(chr(10))))}" if text and mark else text


def _prefix(text: str, prefix: str) -> str:
    return "\n".join(f"{prefix}{line}".rstrip() for line in text.split("\n"))
