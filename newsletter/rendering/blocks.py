"""The blocks of an issue, as a theme lays them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token

from newsletter.errors import SourceError
from newsletter.rendering.markdown import DIRECTIVE, TAG_TOKEN, line_of, plain, to_html


@dataclass(frozen=True, slots=True)
class Prose:
    """A run of headings, paragraphs, lists and tables."""

    tokens: tuple[Token, ...]
    html: str
    kind: str = "prose"


@dataclass(frozen=True, slots=True)
class Quote:
    """A quotation; `html` is what stands inside."""

    tokens: tuple[Token, ...]
    html: str
    kind: str = "quote"


@dataclass(frozen=True, slots=True)
class Callout:
    """A box set apart from the text, with a title or without."""

    title: str
    tokens: tuple[Token, ...]
    html: str
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
class TagLine:
    """Conditions around whole blocks; `html` is a comment that holds their placeholders."""

    placeholders: str
    html: str
    kind: str = "tag"


Block = Prose | Quote | Callout | Image | Button | TagLine


def read_blocks(tokens: Sequence[Token], path: str) -> tuple[Block, ...]:
    """Group the top-level tokens of an issue. Raises SourceError for a directive that holds the wrong thing."""
    blocks: list[Block] = []
    prose: list[Token] = []

    def end_prose() -> None:
        if prose:
            blocks.append(Prose(tuple(prose), to_html(prose)))
            prose.clear()

    for token in tokens:
        _demote_title(token)
    for group in _groups(tokens):
        block = _special(group, path)
        if block is None:
            prose.extend(group)
        else:
            end_prose()
            blocks.append(block)
        if not isinstance(block, Image):
            _refuse_images(group, path)
    end_prose()
    return tuple(blocks)


def _groups(tokens: Sequence[Token]) -> list[list[Token]]:
    """Each top-level element with all that it holds."""
    groups: list[list[Token]] = []
    depth = 0
    for token in tokens:
        if depth == 0:
            groups.append([])
        groups[-1].append(token)
        depth += token.nesting
    return groups


def _special(group: Sequence[Token], path: str) -> Block | None:
    first, inner = group[0], group[1:-1]
    if first.type == TAG_TOKEN:
        return TagLine(first.content, to_html(group).strip())
    if first.type == "blockquote_open":
        return Quote(tuple(inner), to_html(inner))
    if first.type == f"container_{DIRECTIVE}_open":
        name, _, rest = first.info.strip().partition(" ")
        if name == "button":
            return _button(inner, path, line_of(first))
        return Callout(rest.strip(), tuple(inner), to_html(inner))
    if first.type == "paragraph_open":
        return _lone_image(group[1])
    return None


def _button(inner: Sequence[Token], path: str, line: int | None) -> Button:
    children = [child for token in inner for child in token.children or []]
    links = [index for index, child in enumerate(children) if child.type in ("link_open", "link_close")]
    label = plain(children)
    if len(inner) != 3 or links != [0, len(children) - 1] or not label.strip():
        raise SourceError("::: button holds one link, such as [Read on](https://…)", path=path, line=line)
    return Button(label, str(children[0].attrs["href"]))


def _lone_image(paragraph: Token) -> Image | None:
    children = list(paragraph.children or [])
    href = ""
    if len(children) == 3 and children[0].type == "link_open" and children[2].type == "link_close":
        href = str(children[0].attrs["href"])
        children = children[1:2]
    if len(children) != 1 or children[0].type != "image":
        return None
    image = children[0]
    caption = str(image.attrs.get("title") or "")
    return Image(str(image.attrs["src"]), plain(image.children or []), caption, href, line_of(paragraph))


def _refuse_images(group: Sequence[Token], path: str) -> None:
    line = None
    for token in group:
        line = line_of(token) or line
        if any(child.type == "image" for child in token.children or []):
            raise SourceError(
                "a picture stands alone: put an empty line before and after it, outside lists, quotes and boxes",
                path=path,
                line=line,
            )


def _demote_title(token: Token) -> None:
    # The title is the message's only h1.
    if token.tag == "h1":
        token.tag = "h2"
