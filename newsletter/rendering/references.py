"""The numbers in square brackets of the text part: links, and footnotes among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field


@dataclass(slots=True)
class References:
    """Numbers from 1 for whatever is referred to. `address` says what is written in place of a link's target."""

    address: Callable[[str], str]
    _seen: dict[str, int] = field(default_factory=dict)
    _due: list[str] = field(default_factory=list)

    def link(self, url: str) -> str:
        """What to write beside the words of a link: a number, a mail address, or nothing for an anchor."""
        if url.startswith("#"):
            return ""
        if url.startswith("mailto:"):
            return f"<{url.removeprefix('mailto:').partition('?')[0]}>"
        if url not in self._seen:
            self._due.append(url)
        return self._mark(url)

    def footnote(self, number: int) -> str:
        """The mark of a footnote; one series for footnotes and links, so that no number means two things."""
        return self._mark(f"#footnote-{number}")

    def listed(self) -> Iterator[str]:
        """The addresses of the links that were not listed yet, if there are any."""
        if self._due:
            yield "\n".join(f"{self._mark(url)} {self.address(url)}" for url in self._due)
            self._due.clear()

    def _mark(self, key: str) -> str:
        return f"[{self._seen.setdefault(key, len(self._seen) + 1)}]"
