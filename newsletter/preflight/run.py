"""All checks together: those that need nothing but the file, those that need its list, those that look elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from dns.resolver import Resolver
from sqlalchemy.orm import Session

from newsletter.mail.addresses import domain_of
from newsletter.mail.dkim import DkimKey, keys_for
from newsletter.preflight.columns import audience
from newsletter.preflight.contrast import check_contrast
from newsletter.preflight.css import check_css
from newsletter.preflight.domain import Key, look_at_domain
from newsletter.preflight.finding import Finding, Looked
from newsletter.preflight.history import check_history, previous
from newsletter.preflight.images import check_images
from newsletter.preflight.links import check_links
from newsletter.preflight.merge import check_merge_tags
from newsletter.preflight.parts import check_address, check_parts
from newsletter.preflight.proof import Proof
from newsletter.preflight.size import check_size, longest_values
from newsletter.preflight.text import check_text
from newsletter.preflight.weekday import check_weekdays
from newsletter.sending.submit import Prepared


def proofread(proof: Proof, language: str) -> list[Finding]:
    """What the issue alone shows, in the order of its lines."""
    checks = (check_text, check_links, check_images, check_parts, check_contrast, check_css)
    found = [finding for check in checks for finding in check(proof)]
    return _ordered([*found, *check_weekdays(proof, language)])


def preflight(session: Session, prepared: Prepared, base_url: str) -> list[Finding]:
    """What can be told of an issue and the list it is for, without looking anywhere else."""
    publication, people = prepared.publication, audience(session, prepared.mailing_list.id, prepared.segment)
    proof = Proof.of(prepared.issue, prepared.content, base_url)
    language = prepared.issue.document.front.language or publication.language
    return _ordered(
        [
            *proofread(proof, language),
            *check_address(proof),
            *check_merge_tags(session, people, proof),
            *check_size(proof, longest_values(session, people, proof.content)),
            *check_history(proof, previous(session, publication, proof)),
        ]
    )


def look_at_sender(
    from_email: str, keys: Sequence[DkimKey], resolver: Resolver | None, bounce_mailbox: str | None = None
) -> Looked:
    """What the DNS says of whom the issue is from, and of where its bounces go.

    Only the keys that sign for the From domain count.
    """
    domain = domain_of(from_email)
    signing = [Key.of(key) for key in keys_for(domain, keys)]
    return look_at_domain(domain, signing, resolver, domain_of(bounce_mailbox) if bounce_mailbox else "")


def _ordered(findings: list[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda one: (one.line is None, one.line or 0, one.code))
