"""An issue as the checks see it: its file, what it was compiled to, and where in the file something stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from urllib.parse import unquote

from newsletter.preflight.page import Element, read_page, whole
from newsletter.rendering.content import CLICK_TOKEN, HIDDEN_LINK, UNSUBSCRIBE_TOKEN, Content
from newsletter.rendering.issue_file import IssueFile

_REDIRECT = re.compile(rf"/c/{CLICK_TOKEN}/(\d+)\Z")
_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Link:
    """A link as readers see it: its words, and where it leads in the end."""

    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Proof:
    """An issue that is to be checked; `base_url` is where its own links lead."""

    issue: IssueFile
    content: Content
    page: Element
    base_url: str

    @classmethod
    def of(cls, issue: IssueFile, content: Content, base_url: str) -> Proof:
        return cls(issue, content, read_page(whole(content.html, html=True)), base_url)

    def links(self) -> Iterator[Link]:
        """The links of the HTML part, but for the hidden one and those of our own site such as unsubscribing."""
        for element in self.page:
            if element.tag != "a" or "name" in element.attributes:
                continue
            url = unescape(element.attributes.get("href", "")).strip()
            redirect = _REDIRECT.search(url)
            number = int(redirect[1]) if redirect else None
            if number == HIDDEN_LINK:
                continue
            if number is not None:
                url = self.content.links[number - 1]
            if UNSUBSCRIBE_TOKEN not in url and not f"{url}/".startswith(f"{self.base_url}/"):
                yield Link(element.words, url)

    def line_of(self, *texts: str) -> int | None:
        """The first line of the file that holds one of the texts; the earlier texts are tried first."""
        lines = self.issue.source.splitlines()
        for text in texts:
            for form in filter(None, dict.fromkeys((text, unquote(text)))):
                for number, line in enumerate(lines, 1):
                    if form in line:
                        return number
        return None

    def line_of_words(self, words: str) -> int | None:
        """The first line that has these words, whatever markup stands between them."""
        wanted = _NO_WORD.sub("", words)
        if not wanted:
            return None
        lines = enumerate(self.issue.source.splitlines(), 1)
        return next((number for number, line in lines if wanted in _NO_WORD.sub("", line)), None)
