"""Bounces: whom a message did not reach, and why, from the fields of a report and from its text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from newsletter.feedback.delivery_status import Status, read_statuses
from newsletter.feedback.prose import came_after_data, mentions, said_of
from newsletter.feedback.reasons import after_the_message, explain, severity_of, sharper
from newsletter.feedback.report import Report, parse_date
from newsletter.feedback.signal import Kind, Reason, Signal
from newsletter.text import one_line

_MAX_WORDS = 500
# A subject that says why, as sendmail's do.
_SAYS_WHY = re.compile(r"^(?:returned mail|undeliver\w*|warning|delivery fail\w*)\W+(.{4,})", re.IGNORECASE)


def reported(report: Report) -> list[Status]:
    """Whom the report's fields are about, delivered or not, each with an address."""
    statuses = read_statuses(report.statuses)
    named = [status for status in statuses if status.address]
    if named or not statuses:
        return named
    # Fields that say why and not who: the text does.
    one = statuses[0]
    return [Status(told.address, one.action, one.status, one.words, one.when) for told in mentions(report)]


def from_statuses(report: Report, statuses: list[Status]) -> list[Signal]:
    """A signal for each recipient that was not reached, or not yet."""
    failed = [status for status in statuses if not status.arrived]
    late = len(failed) == 1 and came_after_data(report.notes)
    return [
        _signal(
            report,
            status.address,
            (status.words, *said_of(status.address, report.notes)),
            status.status,
            parse_date(status.when),
            delayed=status.delayed,
            late=late,
        )
        for status in failed
    ]


def from_prose(report: Report) -> list[Signal]:
    """The same from a text alone."""
    told = mentions(report)
    late = len(told) == 1 and came_after_data(report.notes)
    subject = _SAYS_WHY.match(report.header("subject"))
    why = (subject[1],) if subject else ()
    return [_signal(report, one.address, (*one.said, *why), "", None, late=late) for one in told]


def _signal(
    report: Report,
    address: str,
    said: Iterable[str],
    status: str,
    when: datetime | None,
    *,
    delayed: bool = False,
    late: bool = False,
) -> Signal:
    texts = [one_line(text)[:_MAX_WORDS] for text in said if text.strip()]
    reason, words = _likeliest(texts, status)
    if reason is Reason.OTHER and delayed:
        reason = Reason.EXPIRED
    if late:
        reason = after_the_message(reason)
    severity = severity_of(reason, delayed=delayed)
    return Signal(
        Kind.BOUNCE,
        severity,
        reason,
        address,
        report.original_id,
        sharper(status, words),
        words,
        when or report.when,
        report.message_id,
    )


def _likeliest(texts: list[str], status: str) -> tuple[Reason, str]:
    """The first text that says why, and why; else the status alone."""
    for text in texts:
        reason = explain(text, status if text is texts[0] else "")
        if reason is not Reason.OTHER:
            return reason, text
    return explain("", status), texts[0] if texts else ""
