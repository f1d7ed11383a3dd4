"""Merge tags that some recipients have nothing for."""

from __future__ import annotations

from sqlalchemy.orm import Session

from newsletter.preflight.columns import Audience, count, lacks
from newsletter.preflight.finding import Finding, error
from newsletter.preflight.gaps import gaps
from newsletter.preflight.proof import Proof


def check_merge_tags(session: Session, people: Audience, proof: Proof) -> list[Finding]:
    """A finding for each tag without a default that is empty for someone; one query an empty field."""
    content, tags = proof.content, proof.issue.document.book.tags
    lines = {tag.source: tag.line for tag in reversed(tags)}
    found = {}
    for template in (content.subject, content.html, content.text):
        for expression, gap in gaps(template):
            found[expression, gap] = lines.get(expression)
    empty = {gap: count(session, people, *map(lacks, sorted(gap))) for gap in dict.fromkeys(gap for _, gap in found)}
    everyone = count(session, people) if any(empty.values()) else 0
    return [
        error(
            "merge-tag",
            line,
            f"{{{{ {expression} }}}} is empty for {empty[gap]:,} of {everyone:,} recipients",
            f'give it a default: {{{{ {expression} | default("…") }}}}',
        )
        for (expression, gap), line in found.items()
        if empty[gap]
    ]
