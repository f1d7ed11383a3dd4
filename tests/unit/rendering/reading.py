"""An issue read the way its readers read it: compiled and merged in one go, its HTML checked and taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

import pytest

from newsletter.errors import SourceError
from newsletter.rendering.compile import Masthead, compile_issue
from newsletter.rendering.content import CLICK_TOKEN, OPEN_TOKEN, UNSUBSCRIBE_TOKEN, Content
from newsletter.rendering.document import read_document
from newsletter.rendering.expressions import Fields
from newsletter.rendering.layout import PlacedPicture
from newsletter.rendering.merge import context_for, merge

BASE_URL = "https://lettres.example.org"
MASTHEAD = Masthead("L’Hebdo", "fr", "L’Hebdo\nrue Haute 1\n1000 Bruxelles")
TOKENS = {OPEN_TOKEN: "OPENED", CLICK_TOKEN: "CLICKED", UNSUBSCRIBE_TOKEN: "LEFT"}
FIELDS = Fields(frozenset({"site", "ville"}))
FIRST_LINE = 4  # of the body that follows HEAD
HEAD = "---\ntitle: Titre\n---\n"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}


@dataclass(frozen=True, slots=True)
class Letter:
    """What one recipient gets."""

    subject: str
    html: str
    text: str
    links: tuple[str, ...]

    @property
    def body(self) -> str:
        """The HTML of the issue itself, between the title and the footer."""
        return self.html.partition("</h1>")[2].partition('class="footer"')[0]

    @property
    def hrefs(self) -> list[str]:
        """Where its links lead, but for the four of its foot, the last of which is hidden."""
        links = [element.attributes.get("href", "") for element in elements(self.html) if element.name == "a"]
        return links[:-4]

    @property
    def words(self) -> str:
        """The text between its head and its foot."""
        return self.text.partition("=\n\n")[2].partition(f"\n\n{'-' * 72}")[0]


def compiled(body: str, head: str = HEAD, pictures: Mapping[str, PlacedPicture] | None = None) -> Content:
    return compile_issue(
        read_document(head + body, "issue.md", FIELDS), MASTHEAD, base_url=BASE_URL, pictures=pictures or {}
    )


def letter(body: str, head: str = HEAD, /, **subscriber: str) -> Letter:
    """The issue as the subscriber with these fields gets it."""
    return merged(compiled(body, head), **subscriber)


def merged(content: Content, **subscriber: str) -> Letter:
    context = context_for(content, subscriber, TOKENS)
    subject, html, text = (merge(template, context) for template in (content.subject, content.html, content.text))
    return Letter(subject, html, text, content.links)


def fault(source: str) -> tuple[int | None, str]:
    """The line and the message of the fault in a whole issue. The message is one line, as every message is."""
    with pytest.raises(SourceError) as caught:
        read_document(source, "issue.md", FIELDS)
    line, message = caught.value.line, str(caught.value)
    assert "\n" not in message
    place = f"issue.md:{line}: "
    assert message.startswith(place)
    return line, message.removeprefix(place)


def body_fault(body: str) -> tuple[int, str]:
    """The same for a body; its first line counts as 1."""
    line, message = fault(HEAD + body)
    assert line is not None
    return line - FIRST_LINE + 1, message


@dataclass(frozen=True, slots=True)
class Element:
    name: str
    attributes: Mapping[str, str]


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Element] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(Element(tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> crosses another element"


def elements(html: str) -> list[Element]:
    """Every element of `html`, which must be balanced: each element closed, none crossing another."""
    parser = _Elements()
    parser.feed(html)
    parser.close()
    assert parser.open == []
    return parser.found
