"""mj-include: the files that a piece of MJML names, put in its place."""

from __future__ import annotations

import re
from collections.abc import Callable

from newsletter.rendering.places import Placed

MAX_DEPTH = 10
MAX_FILES = 100
_MARK = "(?:\ue000[^\ue001]*\ue001)?"
_INCLUDE = re.compile(rf"""<mj-include\b((?:[^<>"']|"[^"]*"|'[^']*')*?)/?>(?:\s*{_MARK}</mj-include>)?""")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*["']([^"']*)["']""")
_WRAPPED = {
    "mjml": "{}",
    "html": "<mj-raw>{}</mj-raw>",
    "css": "<mj-style>{}</mj-style>",
    "css inline": '<mj-style inline="inline">{}</mj-style>',
}

Read = Callable[[str], str]


def read_nothing(path: str) -> str:
    """Where no file may be included."""
    raise LookupError(f"{path} cannot be included: only a theme's own files include others")


class Includes:
    """Reads what mj-include names by `read`, which raises LookupError for a file that is not there."""

    def __init__(self, read: Read, origin: str) -> None:
        self._read = read
        self._origin = origin
        self._files = 0

    def expand(self, mjml: str, parents: tuple[str, ...] = ()) -> str:
        """`mjml` with every mj-include replaced by its file.

        A file is a piece of MJML; with `type="css"` or `type="html"` it becomes an mj-style or an mj-raw, and
        `css-inline="inline"` has the style inlined. Raises SourceError with the line of an include that names no
        file, includes itself, is nested deeper than 10 or is one of more than 100.
        """

        def included(found: re.Match[str]) -> str:
            try:
                return self._include(dict(_ATTRIBUTE.findall(found[1])), parents)
            except LookupError as error:
                before = Placed.of(mjml[: found.start()], self._origin)
                raise before.fault(len(before.text), f"mj-include: {error.args[0]}") from None

        return _INCLUDE.sub(included, mjml)

    def _include(self, attributes: dict[str, str], parents: tuple[str, ...]) -> str:
        path = attributes.get("path", "")
        kind = attributes.get("type", "mjml") + (" inline" if attributes.get("css-inline") == "inline" else "")
        self._files += 1
        if not path:
            raise LookupError('name a file: <mj-include path="footer.mjml" />')
        if kind not in _WRAPPED:
            raise LookupError(f'type="{attributes["type"]}" is unknown: there are mjml, css and html')
        if path in parents:
            raise LookupError(f"{path} includes itself")
        if len(parents) == MAX_DEPTH or self._files > MAX_FILES:
            raise LookupError(f"at most {MAX_FILES} files, at most {MAX_DEPTH} deep, can be included")
        return _WRAPPED[kind].format(self.expand(self._read(path), (*parents, path)))
