"""Files that ship with the package: templates, the sample issue, words in the readers' languages."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

# A wheel carries the templates inside the package; a checkout has them beside it.
TEMPLATES = next(p for p in (PACKAGE / "templates", PACKAGE.parent / "templates") if p.is_dir())

SAMPLE_ISSUE = PACKAGE / "sample" / "numero-56.md"

DEFAULT_LANGUAGE = "en"


@cache
def words(language: str) -> dict[str, str]:
    """The fixed phrases a subscriber reads, by key, in the language (BCP 47); English where it has none."""
    phrases = _read_words(DEFAULT_LANGUAGE)
    primary = language.lower().split("-")[0]
    return phrases | _read_words(primary) if primary != DEFAULT_LANGUAGE else phrases


@cache
def languages() -> dict[str, str]:
    """The languages that readers are spoken to in: their names, each in itself, by code."""
    codes = sorted(path.stem for path in (TEMPLATES / "words").glob("*.toml"))
    return {code: words(code)["language_name"] for code in codes}


def _read_words(language: str) -> dict[str, str]:
    path = TEMPLATES / "words" / f"{language}.toml"
    if not (language.isalpha() and path.is_file()):
        return {}
    return tomllib.loads(path.read_text(encoding="utf-8"))
