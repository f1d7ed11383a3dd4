"""Text as people type it."""

from __future__ import annotations

import re

# No-break spaces are left alone: French sets them before ; : ! ? and they must stay.
_BREAKING_SPACE = re.compile(r"[ \t\n\r\f\v\x1c-\x1f\x85\u2028\u2029]+")


def one_line(text: str) -> str:
    """`text` on one line: every run of spaces, tabs and line breaks is one space, none at the ends."""
    return _BREAKING_SPACE.sub(" ", text).strip(" ")
