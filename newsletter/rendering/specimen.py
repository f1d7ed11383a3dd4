"""A made-up issue that holds every block, to look at a theme and to check it."""

from __future__ import annotations

import tomllib
from typing import Any

from markupsafe import Markup

from newsletter.rendering.theme import SHARED, Theme
from newsletter.resources import words

_LANGUAGE = "en"
_PUBLICATION = {"name": "The Weekly", "postal_address": "The Weekly\n1 Main Street\n1000 Brussels"}
_HTML = frozenset({"html", "when", "what", "where"})
_SIZE = (960, 540)


def specimen(theme: Theme, picture: str, *, direction: str = "ltr") -> dict[str, Any]:
    """What a theme lays out: every block, raw MJML where it allows it. `picture` is every image's URL."""
    read = tomllib.loads((SHARED / "specimen.toml").read_text(encoding="utf-8"))
    blocks = [_block(block, picture) for block in read["blocks"] if block["kind"] != "mjml" or theme.raw_mjml]
    return {
        "document": {**read["document"], "language": _LANGUAGE, "direction": direction, "blocks": blocks},
        "publication": _PUBLICATION,
        "words": words(_LANGUAGE),
        "unsubscribe_url": "https://example.org/unsubscribe",
        "view_url": "https://example.org/view",
        "preferences_url": "https://example.org/preferences",
        "pixel_url": "",
        "trap_url": "",
    }


def _block(block: dict[str, Any], picture: str) -> dict[str, Any]:
    values = {name: _value(name, value, picture) for name, value in block.items()}
    if block["kind"] == "image":
        return {**values, **_placed(picture)}
    if block["kind"] == "pull_quote":
        values["source"] = Markup(values["source"])  # noqa: S704 - ours
    return values


def _value(name: str, value: Any, picture: str) -> Any:
    if isinstance(value, list):
        return [{"image": None, **_block({"kind": name, **item}, picture)} for item in value]
    if name == "image":
        return {"kind": "image", **value, **_placed(picture)}
    return Markup(value) if name in _HTML else value  # noqa: S704 - ours


def _placed(picture: str) -> dict[str, Any]:
    width, height = _SIZE
    return {"src": picture, "width": width, "height": height, "srcset": ""}
