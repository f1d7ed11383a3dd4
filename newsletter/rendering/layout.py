"""Blocks as theme templates see them: dicts, whose HTML is marked safe so that everything else gets escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from markupsafe import Markup

from newsletter.rendering.blocks import Block, Image, Prose, Rich, TagLine
from newsletter.rendering.markdown import to_html


@dataclass(frozen=True, slots=True)
class PlacedPicture:
    """Where a picture is, and its size in pixels, where known; `srcset` offers a smaller one, or nothing."""

    url: str
    width: int | None = None
    height: int | None = None
    srcset: str = ""


Pictures = Mapping[str, PlacedPicture]


def for_theme(blocks: Sequence[Block], pictures: Pictures) -> list[dict[str, Any]]:
    """Each block's fields; the first paragraph of the first is the lead."""
    laid_out = [_fields(block, pictures) for block in blocks]
    if blocks and isinstance(blocks[0], Prose):
        html = str(laid_out[0]["html"]).replace("<p>", '<p class="lead">', 1)
        laid_out[0]["html"] = Markup(html)  # noqa: S704 - as safe as it was
    return laid_out


def _fields(value: Any, pictures: Pictures) -> dict[str, Any]:
    if isinstance(value, TagLine):
        return {"kind": value.kind, "html": Markup(f"<!--{value.placeholders}-->")}  # noqa: S704 - placeholders
    made = {field.name: _laid_out(getattr(value, field.name), pictures) for field in fields(value)}
    if isinstance(value, Image):
        placed = pictures.get(value.src, PlacedPicture(value.src))
        made |= {"src": placed.url, "width": placed.width, "height": placed.height, "srcset": placed.srcset}
    return made


def _laid_out(value: Any, pictures: Pictures) -> Any:
    match value:
        case Rich(tokens):
            return Markup(to_html(tokens).strip())  # noqa: S704 - raw HTML is sanitised before
        case tuple():
            return [_fields(item, pictures) for item in value]
        case None | str() | int():
            return value
        case _:
            return _fields(value, pictures)
