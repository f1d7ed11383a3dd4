"""The compiled HTML as a tree, and the text of templates whatever the recipient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

from newsletter.rendering.template import Control, Template, Value, Variable
from newsletter.text import one_line

# Elements without an end tag (WHATWG HTML, section 13.1.2).
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})


@dataclass(slots=True, eq=False)
class Element:
    """An element with what it holds."""

    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Element]:
        """Itself and everything below, in the order of the page."""
        yield self
        for child in self.children:
            if isinstance(child, Element):
                yield from child

    @property
    def words(self) -> str:
        """Its text on one line."""
        return one_line("".join(self._texts()))

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag == "img":
                yield f" {child.attributes.get('alt', '')} "
            else:
                yield from child._texts()


def read_page(html: str) -> Element:
    """The tree of a page that is well nested; comments, and so what only Outlook sees, are left out."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.root


def whole(template: Template, *, html: bool) -> str:
    """A template's text with every branch of its conditions, merge tags and tokens as they are named."""
    return "".join(_shown(part, html=html) for part in template)


def _shown(part: str | Value | Control | Variable, *, html: bool) -> str:
    match part:
        case Value(expression):
            written = f"{{{{ {expression} }}}}"
            return escape(written) if html else written
        case Control():
            return ""
        case Variable(name):
            return name
    return part


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("")
        self._open = self.root

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs}, self._open)
        self._open.children.append(element)
        if tag not in _VOID:
            self._open = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        element: Element | None = self._open
        while element is not None and element.tag != tag:
            element = element.parent
        if element is not None and element.parent is not None:
            self._open = element.parent

    def handle_data(self, data: str) -> None:
        self._open.children.append(data)
