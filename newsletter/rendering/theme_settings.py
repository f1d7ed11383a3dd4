"""`theme.toml`: what a theme lets its owner choose without touching a template."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import ErrorDetails

from newsletter.errors import SourceError
from newsletter.rendering.contrast import READABLE, contrast
from newsletter.settings_sources import did_you_mean
from newsletter.text import one_line
from newsletter.textfile import read_utf8

# Text and what it stands on, by their names in theme.toml.
PAIRS = (
    *(("ink", "paper"), ("muted", "paper"), ("accent", "paper"), ("muted", "page")),
    *(("ink", "panel"), ("muted", "panel"), ("accent", "panel"), ("on_accent", "accent")),
    *(("on_band", "band"), ("highlight", "band")),
)

_COLOUR, _FONT_NAMES, _ADDRESS = r"^#[0-9a-fA-F]{6}$", r"^[\w ,-]+$", r"^https://[^\s\"<>]+$"
_EXPECTED = {
    _COLOUR: "expected a colour such as #17242c",
    # They go into attributes and styles: no quotation marks, nothing that ends a declaration.
    _FONT_NAMES: "expected names of fonts without quotation marks, such as Georgia, serif",
    _ADDRESS: "expected an address such as https://example.org/logo.png",
}
Colour = Annotated[str, StringConstraints(pattern=_COLOUR)]
FontNames = Annotated[str, StringConstraints(pattern=_FONT_NAMES)]
WebAddress = Annotated[str, StringConstraints(pattern=_ADDRESS)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Colours(_Table):
    page: Colour
    paper: Colour
    ink: Colour
    muted: Colour
    line: Colour
    accent: Colour
    on_accent: Colour
    panel: Colour
    band: Colour
    on_band: Colour
    highlight: Colour


class Fonts(_Table):
    text: FontNames
    headings: FontNames
    labels: FontNames


class Layout(_Table):
    width: int = Field(ge=320, le=800)
    gutter: int = Field(ge=0, le=80)
    size: int = Field(ge=16, le=24)
    line_height: int = Field(ge=20, le=40)
    radius: int = Field(ge=0, le=40)


class Logo(_Table):
    src: WebAddress
    alt: str
    width: int = Field(ge=16, le=600)


class FooterLink(_Table):
    label: str
    url: WebAddress


class Footer(_Table):
    note: str = ""
    links: tuple[FooterLink, ...] = ()


class ThemeSettings(_Table):
    """The whole file. The dark colours are those of `colors`, but for what `dark` says."""

    name: str
    description: str
    raw_mjml: bool = False
    colors: Colours
    dark: Colours
    fonts: Fonts
    layout: Layout
    logo: Logo | None = None
    footer: Footer = Footer()


def read_settings(path: Path) -> dict[str, Any]:
    """The settings in a theme.toml, as templates see them. Raises SourceError with the line of the first fault."""
    source = read_utf8(path)
    try:
        given = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        message, _, place = str(error).partition(" (at line ")
        line = int(place.split(",")[0]) if place else source.count("\n") + 1
        raise SourceError(f"not TOML: {message}", path=str(path), line=line) from None
    if isinstance(given.get("colors"), dict) and isinstance(given.get("dark", {}), dict):
        given["dark"] = {**given["colors"], **given.get("dark", {})}
    try:
        return ThemeSettings.model_validate(given).model_dump()
    except ValidationError as error:
        # A misspelt key is also a missing one: the first is what a person can see.
        fault = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        raise SourceError(_explain(fault), path=str(path), line=_line_of(source, fault["loc"])) from None


def contrast_faults(settings: Mapping[str, Any], path: Path) -> Iterator[str]:
    """A line for each pair of text and ground whose contrast is below 4.5, light or dark."""
    source = read_utf8(path)
    for scheme in ("colors", "dark"):
        for text, ground in PAIRS:
            ratio = contrast(settings[scheme][text], settings[scheme][ground])
            if ratio < READABLE:
                line = _line_of(source, (scheme, text))
                yield f"{path}:{line}: {scheme}.{text} on {ground}: a contrast of {ratio:.1f}, {READABLE} is needed"


def _explain(fault: ErrorDetails) -> str:
    name = ".".join(str(part) for part in fault["loc"])
    match fault["type"]:
        case "missing":
            return f"{name} is missing"
        case "extra_forbidden":
            return f"{name} is not a setting of themes{did_you_mean(str(fault['loc'][-1]), _names(fault['loc']))}"
        case "string_pattern_mismatch":
            return f"{name}: {_EXPECTED[fault['ctx']['pattern']]}"
    return one_line(f"{name}: {fault['msg'][:1].lower()}{fault['msg'][1:]}")


def _names(loc: tuple[int | str, ...]) -> set[str]:
    """What may stand where `loc` points."""
    tables: dict[int | str, type[BaseModel]] = {
        **{"colors": Colours, "dark": Colours, "fonts": Fonts, "layout": Layout, "logo": Logo, "footer": Footer}
    }
    return set((ThemeSettings if len(loc) == 1 else tables[loc[0]]).model_fields)


def _line_of(source: str, loc: tuple[int | str, ...]) -> int:
    """The line of a key, or else of the table that it belongs into."""
    lines = source.splitlines()
    table = 0
    if len(loc) > 1:
        headers = (index for index, line in enumerate(lines) if re.match(rf"\s*\[+\s*{loc[0]}\b", line))
        table = next(headers, 0)
    for index, line in enumerate(lines[table:], table):
        if index > table and line.lstrip().startswith("["):
            break
        if re.match(rf"\s*{re.escape(str(loc[-1]))}\s*=", line):
            return index + 1
    return table + 1
