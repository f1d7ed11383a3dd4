"""A subscriber's time zone, as a cell names it."""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import available_timezones

from newsletter.errors import InputError

_KEPT = 4096


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
