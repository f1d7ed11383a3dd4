"""CSS read as far as the checks need it: rules, their declarations, and which elements simple selectors mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from newsletter.preflight.page import Element

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_COMPOUND = re.compile(r"(?=.)(?:[A-Za-z][\w-]*|\*)?(?:[.#][\w-]+)*")
_PIECE = re.compile(r"[.#]?[\w-]+")
_NESTING = ("@media", "@supports", "@layer")


@dataclass(frozen=True, slots=True)
class Declaration:
    """A property with its value, both in lower case."""

    name: str
    value: str
    important: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; `media` is the `@media …` it stands in, or empty. An at-rule has its whole prelude as selector."""

    selector: str
    declarations: tuple[Declaration, ...]
    media: str = ""


@dataclass(frozen=True, slots=True)
class Compound:
    """What one element must have for a selector."""

    tag: str
    ids: frozenset[str]
    classes: frozenset[str]

    @property
    def weight(self) -> int:
        return len(self.ids) * 10_000 + len(self.classes) * 100 + bool(self.tag)

    def fits(self, element: Element) -> bool:
        attributes = element.attributes
        return (
            self.tag in ("", element.tag)
            and (not self.classes or self.classes.issubset(attributes.get("class", "").split()))
            and (not self.ids or self.ids == {attributes.get("id")})
        )


# From the outermost element to the one that is meant; None says that the next is a child of the one before.
Steps = tuple[Compound | None, ...]


def read_styles(css: str, media: str = "") -> Iterator[Rule]:
    """The rules of a style sheet, in order."""
    for prelude, body in _blocks(_COMMENT.sub("", css)):
        if prelude.startswith(_NESTING):
            yield Rule(prelude, (), media)
            yield from read_styles(body, prelude)
        else:
            yield Rule(prelude, tuple(read_declarations(body)), media)


def read_declarations(css: str) -> Iterator[Declaration]:
    """The declarations of a block or of a style attribute."""
    for written in re.split(r";(?![^(]*\))", css):
        name, colon, value = written.partition(":")
        plain, important = re.subn(r"\s*!\s*important\s*$", "", value.strip().lower())
        if colon and plain:
            yield Declaration(name.strip().lower(), plain, bool(important))


def weight_for(selector: str, element: Element) -> int | None:
    """How much a rule outweighs others for an element; None where it does not mean it.

    Of selectors in a list the weightiest counts (CSS Selectors Level 4, section 17): ids, then classes, then tags.
    Selectors with anything but these, descendants and children mean nothing here.
    """
    return max((weight for steps, weight in _selectors(selector) if _matches(steps, element)), default=None)


@lru_cache(maxsize=1024)
def _selectors(selector: str) -> tuple[tuple[Steps, int], ...]:
    found = []
    for one in selector.split(","):
        pieces = re.sub(r"\s*>\s*", " > ", one).split()
        if all(piece == ">" or _COMPOUND.fullmatch(piece) for piece in pieces):
            steps = tuple(None if piece == ">" else _compound(piece) for piece in pieces)
            found.append((steps, sum(step.weight for step in steps if step)))
    return tuple(found)


def _compound(written: str) -> Compound:
    pieces = _PIECE.findall(written)
    return Compound(
        tag=next((piece for piece in pieces if piece[0] not in ".#"), ""),
        ids=frozenset(piece[1:] for piece in pieces if piece[0] == "#"),
        classes=frozenset(piece[1:] for piece in pieces if piece[0] == "."),
    )


def _matches(steps: Steps, element: Element) -> bool:
    if not steps or steps[-1] is None or not steps[-1].fits(element):
        return False
    rest = steps[:-1]
    if not rest:
        return True
    if rest[-1] is None:
        return element.parent is not None and _matches(rest[:-1], element.parent)
    above = element.parent
    while above is not None:
        if _matches(rest, above):
            return True
        above = above.parent
    return False


def _blocks(css: str) -> Iterator[tuple[str, str]]:
    """What stands before each outermost pair of braces, and in it; a statement such as @import has nothing in it."""
    start = 0
    while (brace := css.find("{", start)) >= 0:
        *statements, prelude = css[start:brace].split(";")
        yield from ((statement.strip(), "") for statement in statements if statement.strip())
        end, depth = brace + 1, 1
        while depth and end < len(css):
            depth += {"{": 1, "}": -1}.get(css[end], 0)
            end += 1
        yield prelude.strip(), css[brace + 1 : end - 1]
        start = end
    yield from ((statement.strip(), "") for statement in css[start:].split(";") if statement.strip())
