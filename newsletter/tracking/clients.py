"""What a reader reads with, as far as a user agent tells: a family, not a version."""

from __future__ import annotations

from functools import lru_cache

from newsletter.tracking.agents import KEPT, proxy_of, scanner_of

OTHER, SCANNER, NONE = "other", "scanner", "none"
# The first whose words are there: browsers name those they descend from.
_FAMILIES = (
    ("Outlook", ("microsoft outlook", "ms-office", "outlook-ios", "outlook-android")),
    ("Thunderbird", ("thunderbird",)),
    ("Edge", ("edg/", "edga/", "edgios/", "edge/")),
    ("Opera", ("opr/", "opera")),
    ("Samsung Internet", ("samsungbrowser",)),
    ("Firefox", ("firefox/", "fxios/")),
    ("Chrome", ("chrome/", "crios/")),
    ("Safari", ("safari/",)),
    # Mail programs on Apple's systems show pages with WebKit alone, and do not say Safari.
    ("Apple Mail", ("applewebkit/",)),
)


@lru_cache(KEPT)
def family(user_agent: str) -> str:
    """The family of a client: a mail program, a browser or a proxy by its name; `scanner`, `other`, or `none` where
    it does not say.
    """
    if not user_agent.strip():
        return NONE
    if scanner_of(user_agent):
        return SCANNER
    said = user_agent.casefold()
    known = (name for name, words in _FAMILIES if any(word in said for word in words))
    return proxy_of(user_agent) or next(known, OTHER)
