"""Markdown's tokens by element, and the few shapes that blocks are made of."""

from __future__ import annotations

from collections.abc import Sequence

from markdown_it.token import Token

from newsletter.rendering.blocks import Image
from newsletter.rendering.markdown import line_of, plain

Element = list[Token]


def elements_of(tokens: Sequence[Token]) -> list[Element]:
    """Each top-level element with all that it holds."""
    found: list[Element] = []
    depth = 0
    for token in tokens:
        if depth == 0:
            found.append([])
        found[-1].append(token)
        depth += token.nesting
    return found


def joined(elements: Sequence[Element]) -> tuple[Token, ...]:
    """The tokens of elements again."""
    return tuple(token for element in elements for token in element)


def parts_between(elements: Sequence[Element], kind: str) -> list[list[Element]]:
    """The elements before, between and after those whose first token is of `kind`."""
    parts: list[list[Element]] = [[]]
    for element in elements:
        if element[0].type == kind:
            parts.append([])
        else:
            parts[-1].append(element)
    return parts


def lone_image(element: Element) -> Image | None:
    """The picture, linked or not, that is all there is in a paragraph."""
    children = _children(element)
    href = ""
    if len(children) == 3 and children[0].type == "link_open" and children[2].type == "link_close":
        href = str(children[0].attrs["href"])
        children = children[1:2]
    if len(children) != 1 or children[0].type != "image":
        return None
    image = children[0]
    caption = str(image.attrs.get("title") or "")
    return Image(str(image.attrs["src"]), plain(image.children or []), caption, href, line_of(element[0]))


def lone_link(element: Element) -> tuple[str, str] | None:
    """The words and the address of the link that is all there is in a paragraph."""
    children = _children(element)
    links = [index for index, child in enumerate(children) if child.type in ("link_open", "link_close")]
    label = plain(children).strip()
    if not label or links != [0, len(children) - 1]:
        return None
    return label, str(children[0].attrs["href"])


def list_items(elements: Sequence[Element]) -> list[list[Element]] | None:
    """What each item holds, where `elements` are one list."""
    if len(elements) != 1 or elements[0][0].type not in ("bullet_list_open", "ordered_list_open"):
        return None
    return [elements_of(item[1:-1]) for item in elements_of(elements[0][1:-1])]


def words_of(elements: Sequence[Element]) -> list[Token] | None:
    """The inline tokens, where `elements` are one paragraph."""
    return _children(elements[0]) or None if len(elements) == 1 else None


def cells_of(words: Sequence[Token]) -> list[list[Token]]:
    """Inline tokens parted where a | stands among the words; spaces around it are dropped."""
    cells: list[list[Token]] = [[]]
    depth = 0
    for token in words:
        depth += token.nesting
        if token.type != "text" or depth:
            cells[-1].append(token)
            continue
        for number, piece in enumerate(token.content.split("|")):
            if number:
                cells.append([])
            cells[-1].append(Token("text", "", 0, content=piece))
    return [_stripped(cell) for cell in cells]


def inline(words: list[Token]) -> Token:
    """Inline tokens as one of a block's."""
    return Token("inline", "", 0, children=words)


def line_in(elements: Sequence[Element]) -> int | None:
    """The file's line on which elements start."""
    return next((line for element in elements for token in element if (line := line_of(token))), None)


def _stripped(cell: list[Token]) -> list[Token]:
    if cell and cell[0].type == "text":
        cell[0].content = cell[0].content.lstrip(" ")
    if cell and cell[-1].type == "text":
        cell[-1].content = cell[-1].content.rstrip(" ")
    return [token for token in cell if token.type != "text" or token.content]


def _children(element: Element) -> list[Token]:
    if element[0].type != "paragraph_open" or len(element) != 3:
        return []
    return list(element[1].children or [])
