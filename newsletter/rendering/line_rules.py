"""Two things that Markdown does not know and that take whole lines: conditions, and MJML as it is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from newsletter.rendering.merge_tags import TagBook

BOOK = "book"
TAG_TOKEN = "merge_tag"  # noqa: S105
MJML_TOKEN = "mjml"  # noqa: S105
_MJML = re.compile(r"(:{3,})[ \t]*mjml")


def add_line_rules(parser: MarkdownIt, *, before: str) -> None:
    """Teach `parser` both, MJML `before` the rule of that name. Parsing needs a TagBook as env[BOOK]."""
    interrupts: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list", "table"]}
    parser.block.ruler.before(before, MJML_TOKEN, _mjml_lines, interrupts)
    parser.block.ruler.before("paragraph", TAG_TOKEN, _tag_line, interrupts)
    parser.add_render_rule(TAG_TOKEN, _render_tag_line)


def _tag_line(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """A line that holds nothing but conditions is a block of its own, whatever stands around it."""
    if state.is_code_block(start):
        return False
    line = _line(state, start)
    book: TagBook = state.env[BOOK]
    if not re.fullmatch(rf"({book.pattern.pattern}\s*)+", line) or not all(tag.control for tag in book.find(line)):
        return False
    if not silent:
        token = state.push(TAG_TOKEN, "", 0)
        token.content = line
        token.map = [start, start + 1]
        state.line = start + 1
    return True


def _mjml_lines(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Everything from `::: mjml` to the next line of as many colons, untouched by Markdown."""
    opening = None if state.is_code_block(start) else _MJML.fullmatch(_line(state, start))
    if opening is None:
        return False
    if silent:
        return True
    last = start + 1
    while last < end and not re.fullmatch(rf"{opening[1]}:*", _line(state, last)):
        last += 1
    token = state.push(MJML_TOKEN, "", 0)
    token.info, token.markup = MJML_TOKEN, opening[1]
    token.content = state.getLines(start + 1, last, 0, True)
    token.map = [start, last]
    state.line = min(last + 1, end)
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]].strip()


def _render_tag_line(_renderer: object, tokens: Sequence[Token], index: int, _options: object, _env: object) -> str:
    return f"<!--{tokens[index].content}-->\n"
