from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.text import one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        (" \t\r\n", ""),
        ("  one\n\n  two\t\tthree ", "one two three"),
        ("one\r\nBcc: two", "one Bcc: two"),
        ("a\x0bb\x0cc\x1cd\x1de\x1ef\x1fg\x85h\u2028i\u2029j", "a b c d e f g h i j"),
        ("\u00a0: vraiment\u202f!\u00a0", "\u00a0: vraiment\u202f!\u00a0"),
    ],
)
def test_runs_of_breaking_space_become_one(text: str, line: str) -> None:
    assert one_line(text) == line


@settings(deadline=None)
@given(st.text())
def test_any_text_becomes_one_line_for_good(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert one_line(line) == line
