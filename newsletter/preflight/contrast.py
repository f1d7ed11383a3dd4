"""Whether the colours of the HTML can be read, in light and in dark (WCAG 2.2, success criterion 1.4.3, level AA)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import ImageColor

from newsletter.preflight.finding import Finding, warning
from newsletter.preflight.page import Element
from newsletter.preflight.proof import Proof
from newsletter.preflight.stylesheet import Declaration, Rule, read_declarations, read_styles, weight_for
from newsletter.rendering.contrast import READABLE, contrast
from newsletter.text import one_line

READABLE_LARGE = 3.0
# 18 points, or 14 points in bold, in CSS pixels.
LARGE, LARGE_BOLD = 24.0, 18.66
_BOLD = ("bold", "bolder", "600", "700", "800", "900")
_SAME = ("inherit", "transparent", "none", "initial", "unset", "currentcolor")
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class _Look:
    """How text looks: colours as #rrggbb, None where they cannot be told, such as over a picture."""

    ink: str | None = "#000000"
    ground: str | None = "#ffffff"
    size: float = 16.0
    bold: bool = False

    @property
    def needed(self) -> float:
        large = self.size >= LARGE or (self.bold and self.size >= LARGE_BOLD)
        return READABLE_LARGE if large else READABLE


def check_contrast(proof: Proof) -> list[Finding]:
    """A finding for each pair of colours that is hard to read; in dark as prefers-color-scheme says."""
    rules = [
        rule
        for element in proof.page
        if element.tag == "style" and "media" not in element.attributes
        for rule in read_styles("".join(child for child in element.children if isinstance(child, str)))
        if not rule.media or "prefers-color-scheme" in rule.media
    ]
    light = [rule for rule in rules if not rule.media]
    dark = [rule for rule in rules if not rule.media or re.search(r"scheme\s*:\s*dark", rule.media)]
    found: dict[tuple[str, str, str], Finding] = {}
    for scheme, sheet in (("light", light), ("dark", dark)):
        for text, look in _texts(proof.page, _Look(), sheet):
            if look.ink is None or look.ground is None:
                continue
            ratio = contrast(look.ink, look.ground)
            if ratio < look.needed:
                told = (
                    f"“{text[:_SHOWN]}” in {look.ink} on {look.ground} has a contrast of {ratio:.1f} in {scheme} mode"
                )
                remedy = f"choose colours with at least {look.needed:g} in the theme"
                finding = warning("contrast", proof.line_of_words(text), told, remedy)
                found.setdefault((scheme, look.ink, look.ground), finding)
    return list(found.values())


def _texts(element: Element, around: _Look, rules: list[Rule]) -> Iterator[tuple[str, _Look]]:
    """Every run of text that is shown, with how it looks."""
    style = _computed(element, rules)
    if element.tag in ("head", "style", "title") or style.get("display") == "none":
        return
    look = _looked(around, style, element.tag)
    for child in element.children:
        if isinstance(child, Element):
            yield from _texts(child, look, rules)
        elif look.size and any(character.isprintable() and not character.isspace() for character in child):
            yield one_line(child), look


def _computed(element: Element, rules: list[Rule]) -> dict[str, str]:
    """The declarations that win for an element."""
    found: list[tuple[bool, int, Declaration]] = [
        (declaration.important, weight, declaration)
        for rule in rules
        if (weight := weight_for(rule.selector, element)) is not None
        for declaration in rule.declarations
    ]
    inline = read_declarations(element.attributes.get("style", ""))
    found += [(declaration.important, 1_000_000, declaration) for declaration in inline]
    found.sort(key=lambda one: one[:2])
    return {"background-color" if one.name == "background" else one.name: one.value for *_, one in found}


def _looked(around: _Look, style: dict[str, str], tag: str) -> _Look:
    size = re.fullmatch(r"([\d.]+)px", style.get("font-size", ""))
    default_weight = "bold" if tag in ("b", "strong", "th") or re.fullmatch(r"h[1-6]", tag) else ""
    font_weight = style.get("font-weight", default_weight)
    return _Look(
        _colour(style.get("color"), around.ink),
        _colour(style.get("background-color"), around.ground),
        float(size[1]) if size else around.size,
        font_weight in _BOLD if font_weight else around.bold,
    )


def _colour(written: str | None, around: str | None) -> str | None:
    if written is None or written in _SAME:
        return around
    try:
        channels = ImageColor.getrgb(written)
    except ValueError:
        return None
    return "#{:02x}{:02x}{:02x}".format(*channels[:3]) if len(channels) == 3 or channels[3] == 255 else None
