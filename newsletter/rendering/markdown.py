"""The Markdown an issue is written in: CommonMark, tables, strikethrough, footnotes, and `:::` directives."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.container import container_plugin

from newsletter.errors import SourceError
from newsletter.rendering.footnotes import add_footnotes
from newsletter.rendering.line_rules import BOOK, MJML_TOKEN, add_line_rules
from newsletter.rendering.merge_tags import TagBook

DIRECTIVE = "directive"
OPENING = f"container_{DIRECTIVE}_open"
DIRECTIVES = (
    "button",
    "callout",
    "cards",
    "pull-quote",
    "contents",
    "agenda",
    "sponsor",
    "video",
    "poll",
    "mjml",
)


def parse(source: str, book: TagBook, path: str, first_line: int) -> list[Token]:
    """The tokens of Markdown whose tags are lifted; `token.map` then counts the file's lines from 0.

    Raises SourceError for a directive that is unknown or not closed.
    """
    tokens = _parser().parse(source, {BOOK: book})
    lines = dict(enumerate(source.split("\n")))
    for token in tokens:
        if token.type in (OPENING, MJML_TOKEN) and token.map:
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
    if token.children:
        return plain(token.children)
    return "" if token.type == "html_inline" else token.content


def line_of(token: Token) -> int | None:
    """The file's line, from 1, on which a token starts."""
    return token.map[0] + 1 if token.map else None


def name_and_title(token: Token) -> tuple[str, str]:
    """What a directive is called, and what stands after that on its line."""
    name, _, title = token.info.strip().partition(" ")
    return name, title.strip()


def _check_directive(token: Token, lines: dict[int, str], path: str, first_line: int) -> None:
    """Raise SourceError unless it is known and closed. A line closes one directive: it is taken out of `lines`."""
    start, end = token.map or [0, 0]
    name = token.info.split(maxsplit=1)[0] if token.info.strip() else ""
    if not name:
        raise SourceError("::: closes nothing, and opens nothing without a name", path=path, line=first_line + start)
    if name not in DIRECTIVES:
        raise SourceError(_unknown(name), path=path, line=first_line + start)
    if not lines.pop(end, "").lstrip(" >").startswith(token.markup):
        raise SourceError(f"::: {name} is not closed: end it with a line of :::", path=path, line=first_line + start)


def _unknown(name: str) -> str:
    near = get_close_matches(name, DIRECTIVES, n=1)
    hint = f" (did you mean ::: {near[0]}?)" if near else ""
    return f"::: {name} is unknown{hint}; there are {', '.join(f'::: {known}' for known in DIRECTIVES)}"


@cache
def _parser() -> MarkdownIt:
    # HTML is read as such so that it can be sanitised (see raw_html.py) before anything is made of it.
    parser = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    container_plugin(parser, DIRECTIVE, validate=lambda *_: True)
    add_footnotes(parser)
    add_line_rules(parser, before=f"container_{DIRECTIVE}")
    return parser
