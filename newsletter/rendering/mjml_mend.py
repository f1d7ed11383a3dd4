"""Where mjml-python departs from npm's `mjml`: mended in the MJML before it, and in its HTML after it."""

from __future__ import annotations

import re

_TAG = re.compile(
    r"""<!--.*?-->|<(?P<end>/?)(?P<name>mj-[a-z-]+)(?P<rest>(?:[^"'<>]|"[^"]*"|'[^']*')*?)(?P<closed>/?)>""",
    re.DOTALL,
)
_SAID = re.compile(r"\b(?:alt|mj-class)\s*=")
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*["']([^"']*)["']""")
# mj-raw passes as mj-text with these around its words, so that its place among the rows is kept.
_RAW, _RAW_END = "\ue002", "\ue003"
_OUTLOOK = r"(?:<!--(?:(?!-->).)*-->\s*)?"
_RAW_ROW = re.compile(
    rf"<tr>\s*<td[^<>]*>\s*{_OUTLOOK}<div[^<>]*>\s*{_RAW}([^{_RAW_END}]*){_RAW_END}\s*</div>\s*{_OUTLOOK}</td>\s*</tr>",
    re.DOTALL,
)
_TABLE = re.compile(
    r"""(<table border="0" cellpadding="[^"]*" cellspacing="([^"]*)" width="[^"]*" """
    r"""style="color:[^"]*;table-layout:[^"]*?)(?:border-collapse:separate;)?">"""
)
_PADDING = re.compile(r"""(\bpadding(?:-\w+)?\s*=\s*["'])([^"']*)""")
_PICTURE_WIDTH = re.compile(r"""(\bwidth\s*=\s*["']\d+)(?=["'])""")
_BARE_ZERO = re.compile(r"(?<!\S)0(?!\S)")
_HOLDS_ROWS = frozenset({"mj-column", "mj-hero"})
_GAP = (
    '<mj-section padding="0"{ground}><mj-column padding="0">'
    '<mj-spacer height="{height}" padding="0" /></mj-column></mj-section>'
)


def before(mjml: str) -> str:
    """MJML that passed its checks, so written that the compiler makes of it what npm's would.

    A wrapper's `gap` becomes sections between its own, `mj-raw` in a column stays among the column's rows, the height
    of a hero and the width of a picture count their padding, a picture's width may do without `px`, and a picture of
    `mj-social-element` without words has an empty `alt`.
    """
    return _TAG.sub(_Walk(), mjml)


def after(html: str) -> str:
    """The compiler's HTML as npm's would be.

    `mj-raw` stands in a column without a cell around it, the borders of an `mj-table` are drawn apart only where it
    has a `cellspacing`, and the arrows of a carousel are hidden from Yahoo alone.
    """
    html = _TABLE.sub(_collapsed_without_spacing, html)
    return _RAW_ROW.sub(r"\1", html).replace("@media screen, yahoo", "@media screen yahoo")


class _Walk:
    """Writes each tag anew, knowing what it stands in."""

    def __init__(self) -> None:
        self._inside: list[str] = []
        self._gap = self._between = ""

    def __call__(self, tag: re.Match[str]) -> str:
        name = tag["name"]
        if name is None:
            return tag[0]
        if tag["end"]:
            if self._inside and self._inside[-1] == name:
                self._inside.pop()
            return f"{_RAW_END}</mj-text>" if name == "mj-raw" and self._parent in _HOLDS_ROWS else tag[0]
        written = self._opening(name, tag)
        if not tag["closed"]:
            self._inside.append(name)
        return _PADDING.sub(_with_units, written)

    @property
    def _parent(self) -> str:
        return self._inside[-1] if self._inside else ""

    def _opening(self, name: str, tag: re.Match[str]) -> str:
        match name:
            case "mj-wrapper":
                self._gap, self._between = _section_as_gap(tag["rest"]), ""
            case "mj-section" if self._parent == "mj-wrapper":
                before, self._between = self._between, self._gap
                return before + tag[0]
            case "mj-social-element" if not _SAID.search(tag["rest"]):
                return f'<{name}{tag["rest"]} alt=""{tag["closed"]}>'
            case "mj-image":
                return _PICTURE_WIDTH.sub(r"\1px", tag[0])
            case "mj-raw" if self._parent in _HOLDS_ROWS and not tag["closed"]:
                return f"<mj-text>{_RAW}"
        return tag[0]


def _section_as_gap(rest: str) -> str:
    attributes = dict(_ATTRIBUTE.findall(rest))
    if not attributes.get("gap"):
        return ""
    colour = attributes.get("background-color")
    return _GAP.format(height=attributes["gap"], ground=f' background-color="{colour}"' if colour else "")


def _with_units(padding: re.Match[str]) -> str:
    # A bare zero makes the compiler forget the padding when it counts the width of a picture or the height of a hero.
    return padding[1] + _BARE_ZERO.sub("0px", padding[2])


def _collapsed_without_spacing(table: re.Match[str]) -> str:
    apart = "" if table[2] in ("", "0", "0px") else "border-collapse:separate;"
    return f'{table[1]}{apart}">'
