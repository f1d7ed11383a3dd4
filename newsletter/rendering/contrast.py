"""Contrast between two colours, as WCAG 2.2 counts it."""

from __future__ import annotations

READABLE = 4.5  # success criterion 1.4.3, text of any size


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours written as #rrggbb, from 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
