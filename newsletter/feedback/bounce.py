"""Bounces: whom a message did not reach, and why, from the fields of a report and from its text."""

from __future__ import annotations

import re

from newsletter.feedback.delivery_status import Status, read_statuses
from newsletter.feedback.prose import MAX_WORDS, came_after_data, is_of_recipient, said_of
from newsletter.feedback.reasons import after_the_message, explain, is_for_now, of_a_directory, severity_of, sharper
from newsletter.feedback.recipients import recipients
from newsletter.feedback.report import Report, parse_date
from newsletter.feedback.signal import Kind, Reason, Signal
from newsletter.text import one_line

_OF_CARRIERS = re.compile(r"the user\(s\) account is (?:disabled|temporarily .{4,40})", re.IGNORECASE)
# A subject that says why, as sendmail's do and Postfix's do not.
_SAYS_WHY = re.compile(
    r"^(?:returned mail|undeliver\w*|warning|delivery fail\w*)\W+(?!mail returned)(.{4,})", re.IGNORECASE
)


def from_fields(report: Report) -> list[Signal] | None:
    """A signal for each recipient that was not reached, or not yet; None where no fields tell of any recipient."""
    statuses = read_statuses(report.statuses)
    if not statuses:
        return None
    if not any(status.address for status in statuses):
        # Fields that say why and not who: the text does.
        one = statuses[0]
        statuses = [Status(who, one.action, one.status, one.words, one.when) for who in recipients(report)]
    failed = [status for status in statuses if status.address and not status.arrived]
    late = len(failed) == 1 and came_after_data(report.notes)
    return [
        _signal(report, status, [status.words, *said_of(status.address, report.notes)], late=late)
        for status in failed
    ]


def from_text(report: Report) -> list[Signal]:
    """The same from a text alone."""
    found = recipients(report)
    late = len(found) == 1 and came_after_data(report.notes)
    subject = _SAYS_WHY.match(report.header("subject"))
    why = [subject[1]] if subject else []
    lines = set(found.values())
    return [
        _signal(report, Status(who, "", "", "", ""), [*said_of(who, report.notes, lines, line), *why], late=late)
        for who, line in found.items()
    ]


def _signal(report: Report, status: Status, said: list[str], *, late: bool) -> Signal:
    texts = [one_line(text)[:MAX_WORDS] for text in (*_explained(report.notes), *said) if text.strip()]
    reason, words = _likeliest(texts, status.status)
    if reason is Reason.OTHER and status.delayed:
        reason = Reason.EXPIRED
    if late and not of_a_directory(words, status.status):
        reason = after_the_message(reason)
    # Filters say “user unknown”, too, and a reply alone does not tell what it answers.
    doubtful = reason is Reason.UNKNOWN_USER and not is_of_recipient(
        words, status.status, status.address, report.notes
    )
    for_now = doubtful or status.delayed or is_for_now(words, status.status)
    return Signal(
        Kind.BOUNCE,
        severity_of(reason, for_now=for_now),
        reason,
        status.address,
        token=report.original_id,
        status=sharper(status.status, words),
        words=words,
        when=parse_date(status.when) or report.when,
        event=report.message_id,
        delayed=status.delayed,
    )


def _explained(notes: list[str]) -> list[str]:
    """What Japanese carriers say above a reply that is the same for everybody."""
    return [found[0] for line in notes if (found := _OF_CARRIERS.search(line))][:1]


def _likeliest(texts: list[str], status: str) -> tuple[Reason, str]:
    """The first text that says why, and why; else the status alone."""
    for number, text in enumerate(texts):
        reason = explain(text, "" if number else status)
        if reason is not Reason.OTHER:
            return reason, text
    return explain("", status), texts[0] if texts else ""
