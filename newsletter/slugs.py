"""Names: as readers see them, and as slugs for addresses and commands."""

from __future__ import annotations

import re
import unicodedata

from newsletter.errors import InputError
from newsletter.text import one_line

MAX_LENGTH = 64
MAX_NAME_LENGTH = 200
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def is_slug(text: str) -> bool:
    """Whether `text` is lower-case letters, digits and single hyphens, 64 at most."""
    return len(text) <= MAX_LENGTH and _SLUG.fullmatch(text) is not None


def check_slug(slug: str) -> None:
    """Raise InputError unless `slug` is lower-case letters, digits and single hyphens, 64 at most."""
    if not is_slug(slug):
        raise InputError(f"“{one_line(slug[:80])}” is not a short name: use lower-case letters, digits and hyphens")


def check_name(name: str) -> str:
    """`name` on one line. Raises InputError for one that is blank or longer than 200 characters."""
    checked = one_line(name)
    if not checked:
        raise InputError("a name may not be blank")
    if len(checked) > MAX_NAME_LENGTH:
        raise InputError(f"the name “{checked[:40]}…” has {len(checked)} characters: {MAX_NAME_LENGTH} is the most")
    return checked


def slugify(text: str) -> str:
    """A slug that resembles `text`; empty where nothing of it is left."""
    # A letter loses its accents; any other sign, an apostrophe of any kind too, parts words.
    plain = "".join(
        sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign)
    )
    return re.sub(r"[^a-z0-9]+", "-", plain)[:MAX_LENGTH].strip("-")
