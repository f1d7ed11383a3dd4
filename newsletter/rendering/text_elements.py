"""Paragraphs, headings, lists and tables as plain text."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from newsletter.rendering.line_rules import TAG_TOKEN
from newsletter.rendering.merge_tags import PLACEHOLDER, TagBook
from newsletter.rendering.references import References

WIDTH = 72
# Stands for a merge tag while lines are filled: no issue may hold this character, and first names are about as long.
_USUAL = "\x00" * 6
_UNDERLINES = {"h2": "-", "h3": "~"}


@dataclass(slots=True)
class ElementWriter:
    """Writes Markdown's elements. The links of a section are listed before the next one begins."""

    book: TagBook
    references: References
    conditions: int = 0

    def elements(self, tokens: Sequence[Token], width: int = WIDTH) -> Iterator[str]:
        """One text for each element, wrapped."""
        for node in SyntaxTreeNode(tokens).children:
            yield from self._element(node, width)

    def words(self, tokens: Sequence[Token]) -> str:
        """The words of inline tokens, on one line."""
        nodes = SyntaxTreeNode(tokens).children
        return "".join(self._span(child) for node in nodes for child in node.children)

    def condition(self, placeholders: str) -> str:
        """The same comment as in HTML."""
        keywords = [tag.keyword for tag in self.book.find(placeholders)]
        self.conditions += keywords.count("if") - keywords.count("endif")
        return f"<!--{placeholders}-->"

    def listed(self) -> Iterator[str]:
        """The links that are due. Inside a condition they would be listed for some readers only."""
        if not self.conditions:
            yield from self.references.listed()

    def _element(self, node: SyntaxTreeNode, width: int) -> Iterator[str]:
        match node.type:
            case "heading":
                yield from self._heading(node, width)
            case "paragraph":
                yield wrap(self._inline(node), width)
            case "inline":
                yield wrap("".join(self._span(child) for child in node.children), width)
            case "bullet_list" | "ordered_list":
                yield self._list(node, width)
            case "blockquote":
                inner = [text for child in node.children for text in self._element(child, width - 2)]
                yield prefixed("\n\n".join(inner), "> ")
            case "footnote":
                yield self._footnote(node, width)
            case "fence" | "code_block":
                yield textwrap.indent(node.content.rstrip("\n"), "    ")
            case "table":
                yield "\n".join(self._row(row) for part in node.children for row in part.children)
            case "hr":
                yield rule(width)
            case type_ if type_ == TAG_TOKEN:
                yield self.condition(node.content)
            case _:
                for child in node.children:
                    yield from self._element(child, width)

    def _heading(self, node: SyntaxTreeNode, width: int) -> Iterator[str]:
        if node.tag == "h2":
            yield from self.listed()
        text = wrap(self._inline(node), width)
        yield underlined(text, _UNDERLINES.get(node.tag, ""))

    def _list(self, node: SyntaxTreeNode, width: int) -> str:
        start = int(node.attrs.get("start", 1))
        items = []
        for number, item in enumerate(node.children, start):
            mark = f"{number}. " if node.type == "ordered_list" else "- "
            items.append(self._hanging(mark, item, width, "\n"))
        return "\n".join(items)

    def _footnote(self, node: SyntaxTreeNode, width: int) -> str:
        return self._hanging(f"{self.references.footnote(node.meta['id'])} ", node, width, "\n\n")

    def _hanging(self, mark: str, node: SyntaxTreeNode, width: int, gap: str) -> str:
        inner = [text for child in node.children for text in self._element(child, width - len(mark))]
        indented = textwrap.indent(gap.join(inner), " " * len(mark))
        return f"{mark}{indented[len(mark) :]}".rstrip(" ")

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
            case "footnote_ref":
                return f" {self.references.footnote(node.meta['id'])}"
            case "link":
                inner = "".join(self._span(child) for child in node.children)
                reference = self.references.link(str(node.attrs["href"]))
                return inner if reference in ("", f"<{inner}>") else f"{inner} {reference}"
            case _:
                return "".join(self._span(child) for child in node.children)


def wrap(text: str, width: int = WIDTH) -> str:
    """`text` in lines of `width`. A no-break space keeps its words together, and an address is never cut.

    A merge tag counts as a name of usual length, whatever stands for it.
    """
    placeholders = iter(PLACEHOLDER.findall(text))
    filled = "\n".join(
        textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)
        for line in PLACEHOLDER.sub(_USUAL, text).split("\n")
    )
    return re.sub(_USUAL, lambda _: next(placeholders), filled)


def underlined(text: str, mark: str) -> str:
    """A heading over a line of `mark`, as long as its longest line."""
    lines = PLACEHOLDER.sub(_USUAL, text).split("\n")
    return f"{text}\n{mark * max(map(len, lines))}" if text and mark else text


def rule(width: int = WIDTH) -> str:
    """Three stars in the middle of a line."""
    return "* * *".center(width).rstrip()


def prefixed(text: str, prefix: str) -> str:
    """`text` with `prefix` before each line."""
    return "\n".join(f"{prefix}{line}".rstrip() for line in text.split("\n"))
