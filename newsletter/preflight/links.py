"""Links as they are written: what can be told without following them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from newsletter.preflight.finding import Finding, error, warning
from newsletter.preflight.proof import Link, Proof
from newsletter.preflight.public import is_public

SHORTENERS = frozenset(
    {
        *("bit.ly", "bitly.com", "buff.ly", "cutt.ly", "dlvr.it", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy"),
        *("rebrand.ly", "s.id", "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "v.gd"),
    }
)
# Names that lead nowhere, now and for good (RFC 2606, RFC 6761).
_NOWHERE = ("example.com", "example.org", "example.net", "example", "invalid", "test", "localhost")
_WRITTEN_LATER = frozenset({"todo", "tbd", "xxx", "fixme", "url", "link", "lien", "…", "..."})

# RFC 3986, section 3.1.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def check_links(proof: Proof) -> list[Finding]:
    """Links that lead nowhere, over open lines, through others' hands, or not where their words say."""
    links = list(proof.links())
    found = [finding for link in dict.fromkeys(links) for finding in _faults(link, proof)]
    return [*found, *_ambiguous(links, proof)]


def web_addresses(proof: Proof) -> list[str]:
    """The targets that can be looked at, each once: on the web, and the same for everyone."""
    urls = dict.fromkeys(link.url for link in proof.links())
    tags = proof.issue.document.book.pattern
    return [
        url for url in urls if url.startswith(("https://", "http://")) and "{{" not in url and not tags.search(url)
    ]


def _faults(link: Link, proof: Proof) -> Iterator[Finding]:
    url, line = link.url, _line(link, proof)
    if not link.words:
        yield error("link-empty", line, f"the link to {url} has no words", "say where it leads: [words](address)")
    if not url:
        yield error("link-empty", line, f"the link “{link.words}” leads nowhere", "give it an address")
    elif _is_placeholder(url):
        told = f"the link “{link.words}” leads to {url}, which is no place yet"
        yield error("link-placeholder", line, told, "put the real address in")
    elif not _is_absolute(url):
        told = (
            f"the link “{link.words}” leads to {url}, which is no whole address: mail has no site it could start from"
        )
        yield error("link-relative", line, told, "write the whole address, with https://")
    elif url.startswith("http://"):
        yield warning("link-insecure", line, f"{url} is not encrypted", "write it with https://")
    if _host(url) in SHORTENERS:
        told = f"{url} hides where it leads; spam filters distrust that"
        yield warning("link-shortened", line, told, "write the address it leads to")


def _ambiguous(links: list[Link], proof: Proof) -> Iterator[Finding]:
    targets: dict[str, str] = {}
    for link in links:
        words = link.words.casefold()
        first = targets.setdefault(words, link.url)
        if words and first != link.url:
            told = f"“{link.words}” leads to {link.url} here and to {first} elsewhere"
            yield warning("link-ambiguous", _line(link, proof), told, "give the two links different words")


def _line(link: Link, proof: Proof) -> int | None:
    return proof.line_of(f"]({link.url}", link.url) or proof.line_of_words(link.words)


def _is_placeholder(url: str) -> bool:
    host = _host(url)
    if url == "#" or url.strip("/<>[]").lower() in _WRITTEN_LATER:
        return True
    if host.split(".")[0] in _WRITTEN_LATER or any(f".{host}".endswith(f".{name}") for name in _NOWHERE):
        return bool(host)
    try:
        return not is_public(ip_address(host))
    except ValueError:
        return False


def _is_absolute(url: str) -> bool:
    """Whether it has a scheme, leads to a place in the message itself, or begins with a merge tag."""
    return bool(_SCHEME.match(url)) or url.startswith(("#", "{{"))


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").rstrip(".").removeprefix("www.")
    except ValueError:
        return ""
