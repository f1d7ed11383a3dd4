"""The Markdown an issue is written in: CommonMark, tables, strikethrough, and `:::` directives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin

from newsletter.errors import SourceError
from newsletter.rendering.merge_tags import TagBook

DIRECTIVE = "directive"
DIRECTIVES = ("button", "callout")
TAG_TOKEN = "merge_tag"  # noqa: S105
_BOOK = "book"


def parse(source: str, book: TagBook, path: str, first_line: int) -> list[Token]:
    """The tokens of Markdown whose tags are lifted; `token.map` then counts the file's lines from 0.

    Raises SourceError for a directive that is unknown or not closed.
    """
    tokens = _parser().parse(source, {_BOOK: book})
    lines = dict(enumerate(source.split("\n")))
    for token in tokens:
        if token.type == f"container_{DIRECTIVE}_open" and token.map:
            _check_directive(token, lines, path, first_line)
        if token.map:
            token.map = [line + first_line - 1 for line in token.map]
    return tokens


def to_html(tokens: Sequence[Token]) -> str:
    """HTML without styles; a condition on a line of its own becomes a comment around its placeholder."""
    parser = _parser()
    return str(parser.renderer.render(tokens, parser.options, {}))


def plain(tokens: Sequence[Token]) -> str:
    """The words of inline tokens, without markup."""
    return "".join(" " if token.type in ("softbreak", "hardbreak") else _words(token) for token in tokens)


def _words(token: Token) -> str:
    return plain(token.children) if token.children else token.content


def line_of(token: Token) -> int | None:
    """The file's line, from 1, on which a token starts."""
    return token.map[0] + 1 if token.map else None


def _check_directive(token: Token, lines: dict[int, str], path: str, first_line: int) -> None:
    """Raise SourceError unless it is known and closed. A line closes one directive: it is taken out of `lines`."""
    start, end = token.map or [0, 0]
    name = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
    if not name:
        raise SourceError("::: closes nothing, and opens nothing without a name", path=path, line=first_line + start)
    if name not in DIRECTIVES:
        known = ", ".join(f"::: {directive}" for directive in DIRECTIVES)
        raise SourceError(f"::: {name} is unknown; there are {known}", path=path, line=first_line + start)
    if not lines.pop(end, "").lstrip(" >").startswith(token.markup):
        raise SourceError(f"::: {name} is not closed: end it with a line of :::", path=path, line=first_line + start)


@cache
def _parser() -> MarkdownIt:
    # Raw HTML is shown as written instead of being passed on: what reaches readers is only what we made.
    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    container_plugin(parser, DIRECTIVE, validate=lambda *_: True)
    interrupts: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list", "table"]}
    parser.block.ruler.before("paragraph", TAG_TOKEN, _tag_line, interrupts)
    parser.add_render_rule(TAG_TOKEN, _render_tag_line)
    return parser


def _tag_line(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """A line that holds nothing but conditions is a block of its own, whatever stands around it."""
    if state.is_code_block(start):
        return False
    line = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]].strip()
    book: TagBook = state.env[_BOOK]
    if not re.fullmatch(rf"({book.pattern.pattern}\s*)+", line) or not all(tag.control for tag in book.find(line)):
        return False
    if not silent:
        token = state.push(TAG_TOKEN, "", 0)
        token.content = line
        token.map = [start, start + 1]
        state.line = start + 1
    return True


def _render_tag_line(_renderer: object, tokens: Sequence[Token], index: int, _options: object, _env: object) -> str:
    return f"<!--{tokens[index].content}-->\n"
