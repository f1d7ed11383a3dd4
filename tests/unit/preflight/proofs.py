"""Issues for the checks: a head with nothing to find fault with, and what is found in a body below it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from newsletter.preflight.finding import Finding
from newsletter.preflight.proof import Proof
from newsletter.rendering.compile import Masthead
from newsletter.rendering.expressions import Fields
from newsletter.rendering.issue_file import read_issue
from newsletter.resources import SAMPLE_ISSUE
from tests.factories import BASE_URL

HEAD = """---
title: "Vendredi matin"
preheader: "Ce qui attend le lecteur."
language: fr
date: 2026-03-13
---
"""
# The line of the file that a body begins on.
BODY = HEAD.count("\n") + 1
MASTHEAD = Masthead("L’Hebdo", "fr", "Rue de l’Exemple 56, 1000 Bruxelles")
FIELDS = Fields(frozenset({"ville", "club"}))


def proof_of(folder: Path, body: str, head: str = HEAD, masthead: Masthead = MASTHEAD) -> Proof:
    """An issue of its own in `folder`, compiled."""
    path = folder / "issue.md"
    path.write_text(head + body, encoding="utf-8")
    issue = read_issue(path, FIELDS)
    return Proof.of(issue, issue.compile(masthead, BASE_URL), BASE_URL)


def sample_proof(theme: str = "magazine") -> Proof:
    issue = read_issue(SAMPLE_ISSUE)
    masthead = Masthead(MASTHEAD.name, MASTHEAD.language, MASTHEAD.postal_address, theme)
    return Proof.of(issue, issue.compile(masthead, BASE_URL), BASE_URL)


def told(findings: Iterable[Finding]) -> list[tuple[str, int | None]]:
    """The code of each finding, with its line."""
    return [(finding.code, finding.line) for finding in findings]


def only(check: Callable[[Proof], list[Finding]], proof: Proof) -> Finding:
    """The one thing a check finds."""
    [finding] = check(proof)
    return finding
