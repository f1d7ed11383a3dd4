"""Slugs: short names for addresses and commands."""

from __future__ import annotations

import re
import unicodedata

from newsletter.errors import InputError

MAX_LENGTH = 64
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def check_slug(slug: str) -> None:
    """Raise InputError unless `slug` is lower-case letters, digits and single hyphens, 64 at most."""
    if len(slug) > MAX_LENGTH or not _SLUG.fullmatch(slug):
        raise InputError(f"“{slug[:80]}” is not a short name: use lower-case letters, digits and hyphens")


def slugify(text: str) -> str:
    """A slug that resembles `text`; empty where nothing of it is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:MAX_LENGTH].strip("-")
