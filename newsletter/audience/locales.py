"""A subscriber's language and time zone, as a cell names them."""

from __future__ import annotations

import re
from functools import lru_cache
from zoneinfo import available_timezones

from newsletter.errors import InputError

_KEPT = 4096
MAX_LANGUAGE = 35
# RFC 5646, section 2.1: a language, then perhaps a script, a region, variants and what else.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{4})?(-([a-z]{2}|[0-9]{3}))?(-[a-z0-9]{2,8})*", re.IGNORECASE)


@lru_cache(_KEPT)
def language_tag(said: str) -> str:
    """A BCP 47 tag in its usual case (`pt-BR`, `zh-Hant-TW`), from one written with hyphens or underscores.

    Raises InputError for what has not the shape of one.
    """
    tag = said.replace("_", "-")
    if len(tag) > MAX_LANGUAGE or not _LANGUAGE.fullmatch(tag):
        raise InputError(f"“{said[:40]}” is not a language tag such as fr or pt-BR")
    language, *rest = tag.split("-")
    return "-".join((language.lower(), *map(_cased, rest)))


@lru_cache(_KEPT)
def zone_name(said: str) -> str:
    """The IANA zone of that name, whatever its case. Raises InputError where there is none."""
    found = _zones().get(said.casefold())
    if found is None:
        raise InputError(f"“{said[:40]}” is not an IANA zone such as Europe/Brussels")
    return found


@lru_cache(1)
def _zones() -> dict[str, str]:
    return {name.casefold(): name for name in available_timezones()}


def _cased(subtag: str) -> str:
    """RFC 5646, section 2.1.1: two letters are a region, four a script."""
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag.lower()
