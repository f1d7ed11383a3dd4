"""French spaces in an issue's file: where they lack, and the file with them.

Readers get them either way, since rendering sets them; the file is mended so that it shows what they see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from newsletter.preflight.finding import Finding, warning
from newsletter.rendering.typography import Edit, apply, french_spaces, is_french

# What is not prose: tags, code, addresses, the names of boxes and footnotes, the rules of tables.
_OTHER = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|`+[^`]*`+|\]\([^)]*\)|<[^>]*>|^\s*:{3,}\s*[\w-]*|^\s*\[[^\]]*\]:\s*\S*|^[\s|:-]+$"
)
# A mark of emphasis ends a sentence as a bracket does.
_CLOSED = str.maketrans("*_~", ")))")
_FENCE = re.compile(r"\s*(```+|~~~+)")


def check_french(source: str, language: str) -> list[Finding]:
    """One finding for all places where a French text lacks a no-break space."""
    lines = [number for number, line, edits in _lines(source) if edits] if is_french(language) else []
    if not lines:
        return []
    told = f"no-break spaces are missing on {len(lines)} line{'s' if len(lines) > 1 else ''}"
    return [warning("french-spaces", lines[0], told, "run `newsletter check --fix`")]


def mend_french(source: str, language: str) -> str:
    """The file's text with no-break spaces before ? ! : ; and inside « », in prose only."""
    if not is_french(language):
        return source
    return "".join(apply(line, edits) for _, line, edits in _lines(source))


def _lines(source: str) -> Iterator[tuple[int, str, list[Edit]]]:
    """Every line, its ending with it, and what is to be changed in it; nothing in the front matter or in code."""
    head, fence = True, ""
    for number, line in enumerate(source.splitlines(keepends=True), 1):
        found = _FENCE.match(line)
        is_prose = not head and not fence and not found
        yield number, line, list(_edits(line)) if is_prose else []
        if head:
            head = number == 1 or line.strip() != "---"
        elif found:
            fence = "" if fence and found[1].startswith(fence) else fence or found[1]


def _edits(line: str) -> Iterator[Edit]:
    kept = [match.span() for match in _OTHER.finditer(line.rstrip("\r\n"))]
    for edit in french_spaces(line.translate(_CLOSED)):
        if line[edit.start : edit.end] != edit.replacement and not any(
            start <= edit.start and edit.end <= end for start, end in kept
        ):
            yield edit
