"""Typography (see typography.py) for blocks: their words are set, code, addresses and merge tags left as they are."""

from __future__ import annotations

from collections import deque
from copy import copy
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from markdown_it.token import Token

from newsletter.rendering.blocks import Rich
from newsletter.rendering.typography import Edit, apply, edits, typeset

T = TypeVar("T")

_WORDS = frozenset({"title", "alt", "caption", "label", "text", "name", "question"})
# What stands for a token that is not text: words go on after code, and end at a line's end.
_STAND_INS = {"softbreak": " ", "hardbreak": " ", "code_inline": "x", "image": "x", "footnote_ref": "x"}


def typeset_blocks(value: T, language: str) -> T:
    """A block, or several, with its words set in `language`. The tokens that were there stay as they are."""
    made: Any = value
    if isinstance(value, Rich):
        made = Rich(tuple(_token(token, language) for token in value.tokens))
    elif isinstance(value, tuple):
        made = tuple(typeset_blocks(item, language) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        made = replace(value, **{name: _field(name, item, language) for name, item in _fields(value)})
    return made  # type: ignore[no-any-return]


def _fields(value: Any) -> list[tuple[str, Any]]:
    return [(field.name, getattr(value, field.name)) for field in fields(value)]


def _field(name: str, value: Any, language: str) -> Any:
    if isinstance(value, str):
        return typeset(value, language) if name in _WORDS else value
    return typeset_blocks(value, language)


def _token(token: Token, language: str) -> Token:
    children = token.children
    if not children:
        return token
    texts = _texts(children)
    changes = deque(edits("".join(texts), language))
    if not changes:
        return token
    made = copy(token)
    made.children = list(children)
    start = 0
    for index, (child, text) in enumerate(zip(children, texts, strict=True)):
        end = start + len(text)
        ours = _within(changes, start, end)
        if ours and child.type == "text" and child.content == text:
            made.children[index] = copy(child)
            made.children[index].content = apply(text, ours)
        start = end
    return made


def _texts(children: list[Token]) -> list[str]:
    """The words of each token; an address that shows itself is none."""
    texts = []
    in_address = False
    for child in children:
        if child.type == "link_open":
            in_address = child.info == "auto"
        text = child.content if child.type == "text" else _STAND_INS.get(child.type, "")
        texts.append("x" * len(text) if in_address else text)
        if child.type == "link_close":
            in_address = False
    return texts


def _within(changes: deque[Edit], start: int, end: int) -> list[Edit]:
    ours = []
    while changes and changes[0].start < end:
        edit = changes.popleft()
        if edit.end <= end:
            ours.append(Edit(edit.start - start, edit.end - start, edit.replacement))
    return ours
