"""Small charts of block characters, for people at terminals that show them."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

BAR_WIDTH = 20
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_HEIGHTS = " ▁▂▃▄▅▆▇█"


def bar(value: float, most: float) -> str:
    """A bar that is full where `value` is `most`, and of which something is seen for all but nothing."""
    eighths = ceil(value / most * BAR_WIDTH * 8) if most else 0
    full, rest = divmod(eighths, 8)
    return (_EIGHTHS[-1] * full + _EIGHTHS[rest]).rstrip()


def skyline(values: Sequence[int]) -> str:
    """A column for each value, side by side; the greatest is as high as the line, nothing is a space."""
    most = max(values, default=0)
    return "".join(_HEIGHTS[ceil(value / most * 8)] if value else _HEIGHTS[0] for value in values)
