"""CSS that big mail programs drop, by the facts of caniemail.com (caniemail.json, with its licence beside it)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from newsletter.preflight.finding import Finding, warning
from newsletter.preflight.proof import Proof
from newsletter.preflight.stylesheet import Declaration, read_declarations, read_styles
from newsletter.rendering.inline import is_readable

_FACTS = Path(__file__).with_name("caniemail.json")
_NAMES = {"gmail": "Gmail", "outlook": "Outlook", "apple-mail": "Apple Mail", "yahoo": "Yahoo Mail"}
# What MJML and the themes set for those who understand it, and nobody misses elsewhere.
_GRACEFUL = frozenset({"cursor", "word-break", "height", "color-scheme", "box-sizing", "hyphens"})
_GROUPS = {
    "left-right-top-bottom": {"left", "right", "top", "bottom"},
    "gap": {"column-gap", "row-gap"},
    "grid-template": {"grid-template-columns", "grid-template-rows", "grid-template-areas"},
}
_IN_VALUES = {
    "unit-calc": r"\bcalc\(",
    "variables": r"\bvar\(",
    "function-clamp": r"\bclamp\(",
    "function-min": r"\bmin\(",
    "function-max": r"\bmax\(",
    "function-light-dark": r"\blight-dark\(",
    "linear-gradient": r"linear-gradient\(",
    "radial-gradient": r"radial-gradient\(",
    "conic-gradient": r"conic-gradient\(",
    "modern-color": r"\b(?:ok)?l(?:ch|ab)\(",
    **{f"unit-{unit}": rf"\d{unit}\b" for unit in ("rem", "vw", "vh", "vmin", "vmax", "ch")},
}


def check_css(proof: Proof) -> list[Finding]:
    """A finding for each style that cannot be read, and each feature in use that one of the big programs drops on
    every platform it has.

    What stands in media queries is meant for those who understand it, so only the rest is looked at.
    """
    used: dict[str, str] = {}
    for written, features in _uses(proof):
        for feature in features:
            used.setdefault(feature, written)
    styles = dict.fromkeys(element.attributes.get("style", "") for element in proof.page)
    broken = [style for style in styles if not is_readable(style)]
    return [_broken(style, proof) for style in broken] + [
        warning("css-support", proof.line_of(written), f"{' and '.join(who)} drop “{written}”", "do without it")
        for feature, written in used.items()
        if feature not in _GRACEFUL and (who := _droppers().get(feature))
    ]


def _broken(style: str, proof: Proof) -> Finding:
    told = f"the style “{style}” cannot be read, which keeps the theme's styles out of every element"
    return warning("css-broken", proof.line_of(style), told, "mend it: name:value; name:value")


def _uses(proof: Proof) -> Iterator[tuple[str, list[str]]]:
    """Every piece of CSS with the features it is made of."""
    for element in proof.page:
        if element.tag == "style" and "media" not in element.attributes:
            for rule in read_styles("".join(child for child in element.children if isinstance(child, str))):
                if rule.selector.startswith("@"):
                    name = rule.selector.split()[0].split("(")[0]
                    yield rule.selector, [f"at-{name[1:]}"]
                elif not rule.media:
                    yield from ((_written(one), _features(one)) for one in rule.declarations)
        inline = read_declarations(element.attributes.get("style", ""))
        yield from ((_written(one), _features(one)) for one in inline)


def _features(declaration: Declaration) -> list[str]:
    name, value = declaration.name, declaration.value
    group = next((group for group, names in _GROUPS.items() if name in names), name)
    found = ["variables" if name.startswith("--") else group, f"{name}-{value}"]
    return found + [feature for feature, pattern in _IN_VALUES.items() if re.search(pattern, value)]


def _written(declaration: Declaration) -> str:
    return f"{declaration.name}:{declaration.value}"


@cache
def _droppers() -> dict[str, list[str]]:
    """For each feature, the programs that drop it on every platform."""
    facts = json.loads(_FACTS.read_text(encoding="utf-8"))
    return {
        feature: [
            _NAMES[client]
            for client, marks in zip(facts["clients"], support.split(), strict=True)
            if set(marks) == {"n"}
        ]
        for feature, support in facts["css"].items()
    }
