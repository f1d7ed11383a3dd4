"""French spaces in an issue's own file: where they are missing, and the file with them put in."""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.rendering.typography import Edit, apply, french_spaces

# What is no prose: merge tags, code, where links and pictures lead, HTML, labels of references, names of directives.
_NOT_PROSE = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|(`+)[^`].*?\1|(?<=\])\([^)\s]*|<[^<>]*>|^[ >]*\[[^\]]+\]:|^[ >]*:{3,}[ ]*[\w-]*"
)
_FENCE = re.compile(r"[ >]*(`{3,}|~{3,}|:{3,}[ ]*mjml[ ]*$)")


def missing_spaces(source: str) -> list[int]:
    """The lines, from 1, of an issue that want a no-break space. Rendering puts it in anyway."""
    return [number for number, changes in _changes(source) if changes]


def mend_spaces(source: str) -> str:
    """An issue's file with every no-break space that French wants; the front matter, code and addresses stay."""
    lines = source.split("\n")
    for number, changes in _changes(source):
        lines[number - 1] = apply(lines[number - 1], changes)
    return "\n".join(lines)


def _changes(source: str) -> Iterator[tuple[int, list[Edit]]]:
    """What to change in each line of prose."""
    head = source.startswith("---")
    fence = ""
    for number, line in enumerate(source.split("\n"), 1):
        opening = _FENCE.match(line)
        if head:
            head = number == 1 or line.rstrip() != "---"
        elif fence:
            fence = "" if line.strip(" >").startswith(fence) else fence
        elif opening:
            fence = opening[1][:3]
        elif not line.startswith(("    ", "\t")):
            hidden = _NOT_PROSE.sub(lambda match: "x" * len(match[0]), line)
            yield number, list(french_spaces(hidden))
