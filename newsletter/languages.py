"""Languages, by their tags."""

from __future__ import annotations

import re
from functools import lru_cache

from newsletter.errors import InputError

_KEPT = 4096
MAX_LENGTH = 35
_TAG = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?(-[a-z0-9]{2,8})*", re.IGNORECASE)


@lru_cache(_KEPT)
def language_tag(said: str) -> str:
    """A language tag in its usual case (`pt-BR`, `zh-Hant-TW`), from one written with hyphens or underscores.

    Of BCP 47 (RFC 5646, section 2.1) that is a language of two or three letters, then perhaps a script, a region and
    variants of two to eight signs each, 35 signs in all: no extensions, nothing for private use, none of the old
    irregular ones. Whether such a language exists is not looked up. Raises InputError for anything else.
    """
    tag = said.replace("_", "-")
    if len(tag) > MAX_LENGTH or not _TAG.fullmatch(tag):
        raise InputError(f"“{said[:40]}” is not a language tag such as fr or pt-BR")
    language, *rest = tag.split("-")
    return "-".join((language.lower(), *map(_cased, rest)))


def _cased(subtag: str) -> str:
    """RFC 5646, section 2.1.1: two letters are a region, four a script."""
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag.lower()
