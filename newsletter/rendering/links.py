"""Links are turned into redirects of ours, so that a click can be counted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html import escape, unescape

from newsletter.rendering.merge_tags import TagBook

_HREF = re.compile(r'(<a\b(?:[^">]|"[^"]*")*?\bhref=")([^"]*)(")')


def answer_url(base_url: str, number: int | str) -> str:
    """Where an answer to a poll leads that has no link; clicks are counted by link, so each has its own."""
    return f"{base_url}/thanks?answer={number}"


@dataclass(slots=True)
class LinkBook:
    """The targets of one issue, numbered from 1; the same target has one number in both parts.

    Left alone: mailto: and anchors, our own addresses below `base_url` but for the answers to polls, and addresses
    that hold a merge tag, since a redirect leads only to targets that were fixed when the issue was compiled.
    """

    redirect: Callable[[int], str]
    base_url: str
    tags: TagBook
    targets: list[str] = field(default_factory=list)

    def rewrite_html(self, html: str) -> str:
        """`html` with the href of every link that is counted replaced."""
        return _HREF.sub(lambda m: m[1] + escape(self.rewritten(unescape(m[2]))) + m[3], html)

    def rewritten(self, url: str) -> str:
        """What to write in place of `url`."""
        if not url.startswith(("https://", "http://")) or self.tags.pattern.search(url):
            return url
        if f"{url}/".startswith(f"{self.base_url}/") and not url.startswith(answer_url(self.base_url, "")):
            return url
        if url not in self.targets:
            self.targets.append(url)
        return self.redirect(self.targets.index(url) + 1)
