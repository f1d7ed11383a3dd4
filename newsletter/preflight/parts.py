"""What every message must have: a way out, an address to write to, a text part."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.preflight.finding import Finding, error, warning
from newsletter.preflight.page import whole
from newsletter.preflight.proof import Proof
from newsletter.rendering.content import UNSUBSCRIBE_TOKEN
from newsletter.rendering.template import Variable


def check_parts(proof: Proof) -> list[Finding]:
    """Parts that are missing, whoever the publication is."""
    return [*_text_part(proof), *_unsubscribe(proof)]


def check_address(proof: Proof) -> list[Finding]:
    """The postal address, which laws such as CAN-SPAM (15 U.S.C. 7704) want in every commercial message."""
    address = proof.content.publication["postal_address"]
    if not address.strip():
        remedy = "give the publication one: --postal-address of `newsletter publication add`"
        return [warning("postal-address", None, "the publication has no postal address", remedy)]
    lines = [line.strip() for line in address.splitlines()]
    shown = proof.page.words
    if all(line in shown for line in lines):
        return []
    return [warning("postal-address", None, "the theme leaves the postal address out", "show it in the footer")]


def _text_part(proof: Proof) -> Iterator[Finding]:
    text = whole(proof.content.text, html=False)
    if not text.strip():
        yield error("text-part", None, "the text part is empty", "write something in the issue")
    elif lost := [url for number, url in enumerate(proof.content.links, 1) if f"/{number}\n" not in f"{text}\n"]:
        told = f"the text part lacks {len(lost)} of the links, such as {lost[0]}"
        yield warning("text-links", proof.line_of(lost[0]), told, "put the link into the text as well")


def _unsubscribe(proof: Proof) -> Iterator[Finding]:
    for name, part in (("HTML", proof.content.html), ("text", proof.content.text)):
        if Variable(UNSUBSCRIBE_TOKEN) not in part:
            told = f"the {name} part has no link to unsubscribe"
            yield error("unsubscribe-link", None, told, "put {{ unsubscribe_url }} back into the theme")
