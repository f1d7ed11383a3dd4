"""Feedback loops: what mailbox providers pass on when somebody says “this is spam” (RFC 5965)."""

from __future__ import annotations

import re

from newsletter.feedback.mime import Headers, first, parse_fields
from newsletter.feedback.report import Report, addresses, parse_date, received_for
from newsletter.feedback.signal import Kind, Reason, Severity, Signal

# Feedback types (RFC 5965 section 7.3, RFC 6591, RFC 6430); what has none here is abuse.
_TYPES: dict[str, Reason | None] = {
    "auth-failure": Reason.AUTHENTICATION,
    "dmarc": Reason.AUTHENTICATION,
    "opt-out": Reason.OPT_OUT,
    "opt-out-list": Reason.OPT_OUT,
    # Somebody took it out of the spam folder.
    "not-spam": None,
}
_FROM_LOOP = re.compile(
    r"feedback[-_.]?(?:loop|report)|\bfbl\b|\babuse|staff@hotmail|complaint|\bscomp", re.IGNORECASE
)
_ABOUT_ABUSE = re.compile(r"\b(?:abuse|spam|complaint|junk|feedback|fbl)\b", re.IGNORECASE)
# Where a loop writes who complained, the surest first.
_WHO = ("x-hmxmroriginalrecipient", "to", "x-original-to", "x-envelope-to", "x-rcpt-to")


def is_complaint(report: Report) -> bool:
    """Whether somebody complained: by the standard, or by a provider's own form without it."""
    if report.feedback is not None or "report-type=feedback-report" in report.header("content-type").replace('"', ""):
        return True
    if not report.original:
        return False
    if "x-hmxmroriginalrecipient" in report.original:
        return True
    return bool(_FROM_LOOP.search(report.header("from")) and _ABOUT_ABUSE.search(report.header("subject")))


def complaints(report: Report) -> list[Signal]:
    """Whose complaint it is; nothing where the report is praise."""
    fields = parse_fields(report.feedback or "")
    reason = _TYPES.get(first(fields, "feedback-type").lower(), Reason.ABUSE)
    if reason is None:
        return []
    severity = Severity.SOFT if reason is Reason.AUTHENTICATION else Severity.HARD
    when = parse_date(first(fields, "arrival-date") or first(fields, "received-date")) or report.when
    words = first(fields, "feedback-type") or report.header("subject")[:200]
    return [
        Signal(
            Kind.COMPLAINT, severity, reason, address, report.original_id, "", words, when, event=report.message_id
        )
        for address in _who(report, fields) or [""]
    ]


def _who(report: Report, fields: Headers) -> list[str]:
    for name in ("original-rcpt-to", "removal-recipient"):
        if found := addresses(", ".join(fields.get(name, []))):
            return found
    for name in _WHO:
        if found := addresses(", ".join(report.original.get(name, []))):
            return found
    return received_for(report.original)
