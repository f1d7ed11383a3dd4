"""An issue beside the one before it: its number, and paragraphs that were left in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.models import Issue, Publication, Revision
from newsletter.preflight.finding import Finding, warning
from newsletter.preflight.proof import Proof

# Shorter ones recur on purpose: greetings, closings, the line above a sponsor's box.
LEFTOVER_WORDS = 20
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Previous:
    """The issue that a publication had before this one; its text is the last it had."""

    number: int | None
    source: str


def previous(session: Session, publication: Publication, proof: Proof) -> Previous | None:
    """The issue before this one, None where it is the first. Whatever came after it is not looked at."""
    front = proof.issue.document.front
    issues = select(Issue.id, Issue.number, Issue.created_at).where(Issue.publication_id == publication.id)
    same = Issue.title == front.title if front.number is None else Issue.number == front.number
    own = session.execute(issues.where(same)).first()
    others = issues.where(Issue.id != own.id, Issue.created_at < own.created_at) if own else issues
    found = session.execute(others.order_by(Issue.created_at.desc(), Issue.id.desc()).limit(1)).first()
    if found is None:
        return None
    latest = select(Revision.source).where(Revision.issue_id == found.id).order_by(Revision.id.desc()).limit(1)
    return Previous(found.number, session.scalar(latest) or "")


def check_history(proof: Proof, before: Previous | None) -> list[Finding]:
    """Faults that only the issue before shows."""
    return [*_number(proof, before), *_leftovers(proof, before)] if before else []


def _number(proof: Proof, before: Previous) -> Iterator[Finding]:
    front = proof.issue.document.front
    if before.number is None or front.number == before.number + 1:
        return
    told = f"number {front.number} does not follow" if front.number is not None else "no number follows"
    line = front.lines.get("number")
    yield warning("number", line, f"{told} {before.number}, the last issue's", f"write “number: {before.number + 1}”")


def _leftovers(proof: Proof, before: Previous) -> Iterator[Finding]:
    known = {words for _, words in _paragraphs(before.source)}
    for line, words in _paragraphs(proof.issue.source):
        if words in known:
            shown = " ".join(words.split()[:8])[:_SHOWN]
            told = f"the paragraph “{shown}…” stood in the last issue, word for word"
            yield warning("leftover", line, told, "write it anew, or delete it")


def _paragraphs(source: str) -> Iterator[tuple[int, str]]:
    """The long paragraphs, each with the line it starts on, in lower case and with single spaces."""
    for match in re.finditer(r"(?:^.*\S.*\n?)+", source, re.MULTILINE):
        words = match.group().lower().split()
        if len(words) >= LEFTOVER_WORDS and not match.group().startswith("---"):
            yield source.count("\n", 0, match.start()) + 1, " ".join(words)
