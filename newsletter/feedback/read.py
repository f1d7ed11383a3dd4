"""What a message that came back says: the way from its bytes to signals."""

from __future__ import annotations

from newsletter.feedback.bounce import from_fields, from_text
from newsletter.feedback.complaint import complaints, is_complaint
from newsletter.feedback.origin import is_answer, is_from_list, is_report
from newsletter.feedback.providers import ses
from newsletter.feedback.report import Report, open_report
from newsletter.feedback.signal import Kind, Reason, Severity, Signal


def read(data: bytes) -> list[Signal]:
    """The signals in a message: bounces or complaints, a recipient each, or one automatic reply; for others, none.

    Takes whatever comes, and looks no further than the first mebibyte. A list's or a newsletter's issue, a report of
    success and a letter from a person are no signals.
    """
    report = open_report(data)
    signals = _signals(report)
    # A report that somebody forwarded whole.
    if not signals and report.attached and not any(line.strip() for line in report.notes):
        signals = _signals(open_report(report.attached.encode("utf-8", "replace")))
    return signals


def _signals(report: Report) -> list[Signal]:
    if is_complaint(report):
        return complaints(report)
    if (signals := ses.from_mail(report.text, report.message_id)) is not None:
        return signals
    if (signals := from_fields(report)) is not None:
        return signals
    if is_answer(report) and not is_report(report):
        return [_answer(report)]
    if is_report(report) and (signals := from_text(report)):
        return signals
    if is_answer(report) and not is_from_list(report):
        return [_answer(report)]
    return []


def _answer(report: Report) -> Signal:
    words = report.header("subject")[:200]
    return Signal(
        Kind.AUTO_REPLY,
        Severity.SOFT,
        Reason.OTHER,
        token=report.original_id,
        words=words,
        when=report.when,
        event=report.message_id,
    )
