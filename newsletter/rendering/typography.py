"""Quotation marks, dashes and French spaces as a printer would set them.

French wants a space that does not break before ? ! : ; and inside « ». It is U+00A0 here, not the narrow U+202F:
every font that mail programs fall back on has it, and so does every terminal. A U+202F that an editor typed stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

NO_BREAK_SPACE = "\u00a0"
_FRENCH = (f"«{NO_BREAK_SPACE}", f"{NO_BREAK_SPACE}»", "“", "”")
_ENGLISH = ("“", "”", "‘", "’")
_GERMAN = ("„", "“", "‚", "‘")
_ANGLED = ("«", "»", "“", "”")
_SLAVIC = ("«", "»", "„", "“")
_LOW = ("„", "”", "«", "»")
_NORDIC = ("”", "”", "’", "’")
_CORNERS = ("「", "」", "『", "』")
# The delimiters of Unicode CLDR, by primary language: outer and inner.
_QUOTES = {
    "fr": _FRENCH,
    **dict.fromkeys(("de", "cs", "sk", "sl", "bg", "lt", "is", "et"), _GERMAN),
    **dict.fromkeys(("es", "it", "ca", "el", "pt-pt"), _ANGLED),
    **dict.fromkeys(("ru", "uk", "be"), _SLAVIC),
    **dict.fromkeys(("nb", "nn", "no"), ("«", "»", "‘", "’")),
    **dict.fromkeys(("pl", "ro", "hr"), _LOW),
    "hu": ("„", "”", "»", "«"),
    **dict.fromkeys(("sv", "fi"), _NORDIC),
    "ja": _CORNERS,
    "de-ch": ("«", "»", "‹", "›"),
}
_DASHES = {"---": "—", "--": "–", "...": "…"}

# Addresses first: nothing inside them is changed.
_ADDRESS = r"(?P<address>(?:https?://|www\.)\S+)"
_MARKS = re.compile(_ADDRESS + r"""|(?P<quote>["'])|(?P<dash>(?<!-)-{2,3}(?!-)|(?<!\.)\.{3}(?!\.))""")
_INSIDE = r"(?<=«)[ ]?(?=\S)|(?<=\S)[ ]?(?=»)"
_HIGH = r"""(?=[?!;:]+(?:[\s)\]»”’"'*_]|\Z))"""
_SPACES = re.compile(rf"""{_ADDRESS}|{_INSIDE}|(?<=[\w)\]}}"”’…%€$°])[ ]?{_HIGH}|[ ]{_HIGH}""")
_DEEPEST = 8
_OPENERS = frozenset(" \t\n\u00a0\u202f([{<«“‘„‚—–-/")


@dataclass(frozen=True, slots=True)
class Edit:
    """`text[start:end]` is to be `replacement`."""

    start: int
    end: int
    replacement: str


def is_french(language: str) -> bool:
    """Whether a BCP 47 tag says French."""
    return language.lower().split("-")[0] == "fr"


def typeset(text: str, language: str) -> str:
    """`text` with the quotation marks, dashes and spaces of its language."""
    return apply(text, edits(text, language))


def apply(text: str, changes: list[Edit]) -> str:
    """`text` with edits, which are in order and do not overlap, made."""
    pieces = []
    end = 0
    for edit in changes:
        pieces += [text[end : edit.start], edit.replacement]
        end = edit.end
    return "".join([*pieces, text[end:]])


def edits(text: str, language: str) -> list[Edit]:
    """What typesetting changes in `text`, in order."""
    found = [*_marks(text, quotes_of(language)), *(french_spaces(text) if is_french(language) else ())]
    return sorted(found, key=lambda edit: (edit.start, edit.end))


def quotes_of(language: str) -> tuple[str, str, str, str]:
    """The outer pair of quotation marks of a language, and the inner one."""
    tag = language.lower()
    return _QUOTES.get(tag) or _QUOTES.get(tag.split("-")[0]) or _ENGLISH


def french_spaces(text: str) -> Iterator[Edit]:
    """Where French wants a no-break space and `text` has another, or none."""
    for match in _SPACES.finditer(text):
        if match["address"] is None:
            yield Edit(match.start(), match.end(), NO_BREAK_SPACE)


def _marks(text: str, quotes: tuple[str, str, str, str]) -> Iterator[Edit]:
    open_quotes: list[tuple[str, int]] = []
    for match in _MARKS.finditer(text):
        start = match.start()
        if match["dash"]:
            if match["dash"] != "--" or _joins(text, match):
                yield Edit(start, match.end(), _DASHES[match["dash"]])
        elif match["quote"]:
            yield from _quote(text, start, quotes, open_quotes)
    yield from _apostrophes(open_quotes)


def _quote(
    text: str, at: int, quotes: tuple[str, str, str, str], open_quotes: list[tuple[str, int]]
) -> Iterator[Edit]:
    mark = text[at]
    before, after = text[at - 1] if at else " ", text[at + 1] if at + 1 < len(text) else " "
    opens = (before in _OPENERS or before in "\"'") and not (mark == "'" and after.isdigit())
    closes = not before.isspace() and not (after.isalnum() and before.isalnum())
    opener = next((index for index in range(len(open_quotes) - 1, -1, -1) if open_quotes[index][0] == mark), None)
    if opener is not None and closes:
        pair = quotes[:2] if mark == '"' else quotes[2:]
        yield Edit(open_quotes[opener][1], open_quotes[opener][1] + 1, pair[0])
        yield Edit(at, at + 1, pair[1])
        yield from _apostrophes(open_quotes[opener + 1 :])
        del open_quotes[opener:]
    elif opens and not after.isspace():
        open_quotes.append((mark, at))
        if len(open_quotes) > _DEEPEST:
            yield from _apostrophes([open_quotes.pop(0)])
    elif mark == "'":
        yield Edit(at, at + 1, "’")


def _apostrophes(open_quotes: list[tuple[str, int]]) -> Iterator[Edit]:
    """An apostrophe is a single quotation mark that nothing closes."""
    return (Edit(start, start + 1, "’") for mark, start in open_quotes if mark == "'")


def _joins(text: str, dash: re.Match[str]) -> bool:
    """Whether two hyphens stand between words, with spaces on both sides or on none: no option of a command."""
    start, end = dash.span()
    before, after = text[max(start - 1, 0) : start], text[end : end + 1]
    return bool(before and after) and before.isspace() == after.isspace()
