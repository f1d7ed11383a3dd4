"""Where mjml-python departs from npm's `mjml`: mended in the MJML before it (HTML: `mend_html.py`)."""

from __future__ import annotations

import re

# mj-raw passes as mj-text with these around its words, so that its place among the rows is kept.
RAW, RAW_END = "\ue002", "\ue003"
# Before the words of an icon that comes after them.
ICON_LAST = "\ue004"
# A class that says how high a picture is, in per cent of its width.
FLUID = "mjml-fluid-"

_TAG = re.compile(
    r"""<!--.*?-->|<(?P<end>/?)(?P<name>mj-[a-z-]+)(?P<rest>(?:[^"'<>]|"[^"]*"|'[^']*')*?)(?P<closed>/?)>""",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([\w-]+)\s*=\s*["']([^"']*)["']""")
_CLASS = re.compile(r"""\bcss-class\s*=\s*["'][^"']*["']""")
_PADDING = re.compile(r"""(\bpadding(?:-\w+)?\s*=\s*["'])([^"']*)""")
_PICTURE_WIDTH = re.compile(r"""(\bwidth\s*=\s*["']\d+)(?=["'])""")
_BARE_ZERO = re.compile(r"(?<!\S)0(?!\S)")
_PIXELS = re.compile(r"[1-9]\d*(?=(?:px)?$)")
_HOLDS_ROWS = frozenset({"mj-column", "mj-hero"})
_GAP = (
    '<mj-section padding="0"{ground}><mj-column padding="0">'
    '<mj-spacer height="{height}" padding="0" /></mj-column></mj-section>'
)


def mend_mjml(mjml: str) -> str:
    """MJML that passed its checks, so written that the compiler makes of it what npm's would.

    A wrapper's `gap` becomes sections between its own, `mj-raw` in a column stays among the column's rows, the height
    of a hero and the width of a picture count their padding, a picture's width may do without `px`, a hero of fluid
    height is as high as its picture, and an icon of `mj-social` has an `alt`, if an empty one, and its position.
    """
    return _TAG.sub(_Walk(), mjml)


class _Walk:
    """Writes each tag anew, knowing what it stands in."""

    def __init__(self) -> None:
        self._inside: list[str] = []
        self._wrappers: dict[str, str] = {}
        self._gap = self._between = ""

    def __call__(self, tag: re.Match[str]) -> str:
        name = tag["name"]
        if name is None:
            return tag[0]
        if tag["end"]:
            if self._inside and self._inside[-1] == name:
                self._inside.pop()
            return f"{RAW_END}</mj-text>" if name == "mj-raw" and self._parent in _HOLDS_ROWS else tag[0]
        written = self._opening(name, tag)
        if not tag["closed"]:
            self._inside.append(name)
        return _PADDING.sub(_with_units, written)

    @property
    def _parent(self) -> str:
        return self._inside[-1] if self._inside else ""

    def _opening(self, name: str, tag: re.Match[str]) -> str:
        attributes = dict(_ATTRIBUTE.findall(tag["rest"]))
        match name:
            case "mj-wrapper" if self._parent == "mj-attributes":
                self._wrappers = attributes
            case "mj-wrapper":
                self._gap, self._between = _section_as_gap(self._wrappers | attributes), ""
            case "mj-section" if self._parent == "mj-wrapper":
                before, self._between = self._between, self._gap
                return before + tag[0]
            case "mj-hero" if attributes.get("mode") == "fluid-height":
                return _fluid(tag, attributes)
            case "mj-image":
                return _PICTURE_WIDTH.sub(r"\1px", tag[0])
            case "mj-social-element":
                return _icon(tag, attributes)
            case "mj-raw" if self._parent in _HOLDS_ROWS and not tag["closed"]:
                return f"<mj-text>{RAW}"
        return tag[0]


def _section_as_gap(wrapper: dict[str, str]) -> str:
    if not wrapper.get("gap"):
        return ""
    colour = wrapper.get("background-color")
    return _GAP.format(height=wrapper["gap"], ground=f' background-color="{colour}"' if colour else "")


def _fluid(tag: re.Match[str], hero: dict[str, str]) -> str:
    width, height = (_PIXELS.match(hero.get(f"background-{side}", "")) for side in ("width", "height"))
    if width is None or height is None:
        return tag[0]
    classes = f"{hero.get('css-class', '')} {FLUID}{round(100 * int(height[0]) / int(width[0]))}".strip()
    return f'<mj-hero{_CLASS.sub("", tag["rest"])} css-class="{classes}"{tag["closed"]}>'


def _icon(tag: re.Match[str], element: dict[str, str]) -> str:
    alt = "" if element.keys() & {"alt", "mj-class"} else ' alt=""'
    last = ICON_LAST if element.get("icon-position") == "right" and not tag["closed"] else ""
    return f"<mj-social-element{tag['rest']}{alt}{tag['closed']}>{last}"


def _with_units(padding: re.Match[str]) -> str:
    # A bare zero makes the compiler forget the padding when it counts the width of a picture or the height of a hero.
    return padding[1] + _BARE_ZERO.sub("0px", padding[2])
