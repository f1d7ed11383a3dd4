"""Conditions must open and close in the same place, or merging would tear the message's HTML apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from newsletter.errors import SourceError
from newsletter.rendering.line_rules import MJML_TOKEN
from newsletter.rendering.merge_tags import MergeTag, TagBook

MAX_DEPTH = 20
# No part of these can be left out.
_WHOLE = ("image", MJML_TOKEN)


@dataclass(frozen=True, slots=True)
class _Open:
    tag: MergeTag
    place: tuple[int, ...]
    has_else: bool = False


def check_conditions(tokens: Sequence[Token], book: TagBook, path: str) -> None:
    """Raise SourceError for an if, elif, else or endif whose partner is missing or stands inside something else."""
    stack: list[_Open] = []
    for tag, place in _placed(tokens, book, path):
        if tag.keyword == "if":
            if len(stack) == MAX_DEPTH:
                raise SourceError(f"conditions are nested more than {MAX_DEPTH} deep", path=path, line=tag.line)
            stack.append(_Open(tag, place))
            continue
        if not stack:
            raise SourceError(f"{{% {tag.source} %}} has no {{% if %}} before it", path=path, line=tag.line)
        opened = stack.pop()
        if opened.place != place:
            raise SourceError(
                f"{{% {tag.source} %}} does not stand where its {{% if %}} of line {opened.tag.line} stands: "
                "put both in one paragraph, row or card, or each on a line of its own around whole paragraphs; "
                "to leave out a row or a card, put it into a block of its own with the condition around that",
                path=path,
                line=tag.line,
            )
        if opened.has_else and tag.keyword != "endif":
            raise SourceError(f"{{% {tag.source} %}} comes after {{% else %}}", path=path, line=tag.line)
        if tag.keyword != "endif":
            stack.append(_Open(opened.tag, place, has_else=tag.keyword == "else"))
    if stack:
        tag = stack[-1].tag
        raise SourceError(f"{{% {tag.source} %}} is not closed: add {{% endif %}}", path=path, line=tag.line)


def check_line_conditions(text: str, book: TagBook, path: str) -> None:
    """The same for a single line such as the subject."""
    check_conditions([Token("inline", "", 0, children=[Token("text", "", 0, content=text)])], book, path)


def _placed(tokens: Sequence[Token], book: TagBook, path: str) -> Iterator[tuple[MergeTag, tuple[int, ...]]]:
    """Every condition with the chain of elements it stands in."""
    place: list[int] = [0]
    elements = 0
    for token in _flat(tokens):
        _refuse_in_attributes(token, book, path)
        if token.nesting == -1:
            place.pop()
        elif token.nesting == 1:
            elements += 1
            place.append(elements)
        elif token.type not in _WHOLE:
            for tag in book.find(token.content):
                if tag.control:
                    yield tag, tuple(place)


def _refuse_in_attributes(token: Token, book: TagBook, path: str) -> None:
    texts = [
        token.info,
        token.content if token.type in _WHOLE else "",
        *(str(value) for value in token.attrs.values()),
    ]
    for tag in book.find(" ".join(texts)):
        if tag.control:
            raise SourceError(
                f"{{% {tag.source} %}} stands inside an address, a picture's text, a box's title or "
                "MJML: put it around the whole",
                path=path,
                line=tag.line,
            )


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "inline":
            yield from token.children or []
        else:
            yield token
