"""The components of MJML 4: which attributes each may have, and what may stand in it.

Taken from the component reference of MJML 4.18 (https://documentation.mjml.io/#components).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Component:
    """Its attributes, and its children: names of components, or None where it holds HTML or words."""

    attributes: frozenset[str]
    children: frozenset[str] | None


def _sides(name: str) -> str:
    return f"{name} {name}-top {name}-right {name}-bottom {name}-left"


_PADDING = _sides("padding")
_BORDER = _sides("border")
_INNER_BORDER = f"{_sides('inner-border')} inner-border-radius"
_FONT = "font-family font-size font-style font-weight"
_WORDS = f"{_FONT} color line-height text-decoration"
_LETTERS = f"{_WORDS} letter-spacing text-transform"
_LINK = "href rel target title"
_BACKGROUND = (
    "background-color background-url background-repeat background-size background-position background-position-x "
    "background-position-y"
)
_BOX = f"{_PADDING} {_BORDER} border-radius direction"
_BAND = f"{_BOX} {_BACKGROUND} full-width text-align text-padding"
_ACCORDION_ICONS = (
    "icon-align icon-width icon-height icon-position icon-wrapped-url icon-wrapped-alt icon-unwrapped-url "
    "icon-unwrapped-alt"
)
_TITLE = "font-family font-size font-weight background-color color"
_THUMBNAILS = "tb-border tb-border-radius"

_HEAD = "mj-attributes mj-breakpoint mj-html-attributes mj-font mj-preview mj-style mj-title mj-raw"
_CONTENT = (
    "mj-accordion mj-button mj-carousel mj-divider mj-image mj-raw mj-social mj-spacer mj-table mj-text mj-navbar"
)
_SOCIAL = f"{_PADDING} {_WORDS} align icon-height icon-padding icon-size text-padding vertical-align"

_EVERYWHERE = frozenset({"css-class", "mj-class"})
_HOLDS_TEXT = None

_TABLE: tuple[tuple[str, str, str | None], ...] = (
    ("mjml", "lang dir owa", "mj-head mj-body"),
    ("mj-head", "", _HEAD),
    ("mj-body", "background-color width", "mj-raw mj-section mj-wrapper mj-hero"),
    ("mj-breakpoint", "width", ""),
    ("mj-font", "href name", ""),
    ("mj-html-attributes", "", "mj-selector"),
    ("mj-selector", "path", "mj-html-attribute"),
    ("mj-html-attribute", "name", _HOLDS_TEXT),
    ("mj-preview", "", _HOLDS_TEXT),
    ("mj-style", "inline", _HOLDS_TEXT),
    ("mj-title", "", _HOLDS_TEXT),
    ("mj-raw", "position", _HOLDS_TEXT),
    ("mj-wrapper", f"{_BAND} gap", "mj-hero mj-raw mj-section"),
    ("mj-section", _BAND, "mj-column mj-group mj-raw"),
    ("mj-group", "background-color direction vertical-align width", "mj-column mj-raw"),
    ("mj-column", f"{_BOX} {_INNER_BORDER} background-color inner-background-color vertical-align width", _CONTENT),
    (
        "mj-hero",
        f"{_PADDING} {_sides('inner-padding')} background-color background-height background-position background-url "
        "background-width border-radius container-background-color height inner-background-color mode vertical-align",
        _CONTENT,
    ),
    (
        "mj-text",
        f"{_PADDING} {_LETTERS} align background-color container-background-color height vertical-align",
        _HOLDS_TEXT,
    ),
    (
        "mj-button",
        f"{_PADDING} {_BORDER} {_LETTERS} {_LINK} align background-color border-radius container-background-color "
        "height inner-padding name text-align vertical-align width",
        _HOLDS_TEXT,
    ),
    (
        "mj-image",
        f"{_PADDING} {_BORDER} {_LINK} align alt border-radius container-background-color fluid-on-mobile font-size "
        "height max-height name sizes src srcset usemap width",
        "",
    ),
    (
        "mj-divider",
        f"{_PADDING} align border-color border-style border-width container-background-color width",
        "",
    ),
    ("mj-spacer", f"{_PADDING} {_BORDER} container-background-color height", ""),
    (
        "mj-table",
        f"{_PADDING} align border cellpadding cellspacing color container-background-color font-family font-size "
        "font-weight line-height role table-layout vertical-align width",
        _HOLDS_TEXT,
    ),
    (
        "mj-social",
        f"{_SOCIAL} border-radius container-background-color inner-padding mode table-layout",
        "mj-social-element mj-raw",
    ),
    (
        "mj-social-element",
        f"{_SOCIAL} {_LINK} alt background-color border-radius icon-position name sizes src srcset",
        _HOLDS_TEXT,
    ),
    (
        "mj-navbar",
        f"{_PADDING} {_sides('ico-padding')} align base-url hamburger ico-align ico-close ico-color ico-font-family "
        "ico-font-size ico-line-height ico-open ico-text-decoration ico-text-transform",
        "mj-navbar-link mj-raw",
    ),
    ("mj-navbar-link", f"{_PADDING} {_LETTERS} href name rel target", _HOLDS_TEXT),
    (
        "mj-accordion",
        f"{_PADDING} {_ACCORDION_ICONS} border container-background-color font-family",
        "mj-accordion-element mj-raw",
    ),
    (
        "mj-accordion-element",
        f"{_ACCORDION_ICONS} background-color border font-family",
        "mj-accordion-title mj-accordion-text mj-raw",
    ),
    ("mj-accordion-title", f"{_PADDING} {_TITLE}", _HOLDS_TEXT),
    ("mj-accordion-text", f"{_PADDING} {_TITLE} letter-spacing line-height", _HOLDS_TEXT),
    (
        "mj-carousel",
        f"{_PADDING} {_THUMBNAILS} align border-radius container-background-color icon-width left-icon right-icon "
        "tb-hover-border-color tb-selected-border-color tb-width thumbnails",
        "mj-carousel-image",
    ),
    (
        "mj-carousel-image",
        f"{_THUMBNAILS} {_LINK} alt border-radius src thumbnails-src",
        _HOLDS_TEXT,
    ),
)


def _component(attributes: str, children: str | None) -> Component:
    names = None if children is None else frozenset(children.split())
    return Component(frozenset(attributes.split()) | _EVERYWHERE, names)


def _components() -> Mapping[str, Component]:
    known = {name: _component(attributes, children) for name, attributes, children in _TABLE}
    every = frozenset[str]().union(*(component.attributes for component in known.values()))
    return {
        **known,
        "mj-attributes": Component(_EVERYWHERE, frozenset(known) - {"mjml"} | {"mj-all", "mj-class"}),
        "mj-all": Component(every, frozenset()),
        "mj-class": Component(every | {"name"}, frozenset()),
    }


COMPONENTS = _components()
