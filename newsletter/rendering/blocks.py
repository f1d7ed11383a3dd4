"""The blocks of an issue: what themes lay out and the text part writes.

Themes get each block as a dict of its fields, with `Rich` fields as HTML (see layout.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Rich:
    """Words with markup, as Markdown's tokens."""

    tokens: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class Prose:
    """A run of headings, paragraphs, lists and tables."""

    html: Rich
    kind: str = "prose"


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation; `html` is what stands inside."""

    html: Rich
    kind: str = "quote"


@dataclass(frozen=True, slots=True)
class PullQuote:
    """A sentence set large; `source` is who said it, or empty."""

    html: Rich
    source: Rich
    kind: str = "pull_quote"


@dataclass(frozen=True, slots=True)
class Callout:
    """A box set apart from the text, with a title or without."""

    title: str
    html: Rich
    kind: str = "callout"


@dataclass(frozen=True, slots=True)
class Image:
    """A picture alone in its paragraph; `src` is as written, `href` where it leads or empty."""

    src: str
    alt: str
    caption: str
    href: str
    line: int | None
    kind: str = "image"


@dataclass(frozen=True, slots=True)
class Button:
    """A link that asks to be pressed."""

    label: str
    url: str
    kind: str = "button"


@dataclass(frozen=True, slots=True)
class Divider:
    """A rule between two parts."""

    kind: str = "divider"


@dataclass(frozen=True, slots=True)
class Card:
    """One of several that stand side by side; without a button, `label` and `url` are empty."""

    image: Image | None
    html: Rich
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Cards:
    """Two or three cards."""

    cards: tuple[Card, ...]
    kind: str = "cards"


@dataclass(frozen=True, slots=True)
class Entry:
    """A heading of the issue and the id it bears."""

    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Contents:
    """The issue's second-level headings; those inside a condition are left out."""

    title: str
    entries: tuple[Entry, ...]
    kind: str = "contents"


@dataclass(frozen=True, slots=True)
class Row:
    """Something that takes place; `where` may be empty."""

    when: Rich
    what: Rich
    where: Rich


@dataclass(frozen=True, slots=True)
class Agenda:
    """What takes place when, a row each."""

    title: str
    rows: tuple[Row, ...]
    kind: str = "agenda"


@dataclass(frozen=True, slots=True)
class Sponsor:
    """A box that is paid for, by whom it says."""

    name: str
    image: Image | None
    html: Rich
    kind: str = "sponsor"


@dataclass(frozen=True, slots=True)
class Video:
    """A still picture that leads to a film."""

    image: Image
    url: str
    caption: str
    kind: str = "video"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a poll; until the issue is compiled, `url` is empty where the editor gave no link."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Poll:
    """A question that is answered by one click."""

    question: str
    answers: tuple[Answer, ...]
    kind: str = "poll"


@dataclass(frozen=True, slots=True)
class RawMjml:
    """MJML of the editor's own, for themes that allow it."""

    source: str
    line: int | None
    kind: str = "mjml"


@dataclass(frozen=True, slots=True)
class TagLine:
    """Conditions around whole blocks; `placeholders` stand for them."""

    placeholders: str
    kind: str = "tag"


Block = (
    Prose
    | Quote
    | PullQuote
    | Callout
    | Image
    | Button
    | Divider
    | Cards
    | Contents
    | Agenda
    | Sponsor
    | Video
    | Poll
    | RawMjml
    | TagLine
)


def images_in(value: Any) -> Iterator[Image]:
    """The pictures of a block or of several, in order."""
    if isinstance(value, Image):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from images_in(item)
    elif is_dataclass(value) and not isinstance(value, Rich):
        for field in fields(value):
            yield from images_in(getattr(value, field.name))
