from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.feedback.read import read
from newsletter.feedback.signal import Kind, Reason, Severity, Signal
from tests.unit.feedback.letters import EDITOR, ISSUE, READER, attached, feedback

ABUSE = (
    f"Feedback-Type: abuse\nVersion: 1\nOriginal-Rcpt-To: <{READER}>\nArrival-Date: Fri, 13 Mar 2026 08:00:00 +0000"
)


def test_everything_that_a_complaint_says_is_in_its_signal() -> None:
    assert read(feedback(ABUSE, message_id="<fbl-1@provider.example>")) == [
        Signal(
            Kind.COMPLAINT,
            Severity.HARD,
            Reason.ABUSE,
            READER,
            token="t0ken",
            words="abuse",
            when=datetime(2026, 3, 13, 8, 0, tzinfo=UTC),
            event="fbl-1@provider.example",
        )
    ]


@pytest.mark.parametrize(
    ("kind", "severity", "reason"),
    [
        ("abuse", Severity.HARD, Reason.ABUSE),
        ("fraud", Severity.HARD, Reason.ABUSE),
        ("virus", Severity.HARD, Reason.ABUSE),
        ("something-new", Severity.HARD, Reason.ABUSE),
        ("opt-out", Severity.HARD, Reason.OPT_OUT),
        ("auth-failure", Severity.SOFT, Reason.AUTHENTICATION),
    ],
)
def test_only_people_make_a_complaint_hard(kind: str, severity: Severity, reason: Reason) -> None:
    (signal,) = read(feedback(f"Feedback-Type: {kind}\nOriginal-Rcpt-To: {READER}"))
    assert (signal.kind, signal.severity, signal.reason) == (Kind.COMPLAINT, severity, reason)


def test_praise_is_no_complaint() -> None:
    assert read(feedback("Feedback-Type: not-spam")) == []


def test_a_complaint_may_be_about_several_messages() -> None:
    fields = "Feedback-Type: abuse\nOriginal-Rcpt-To: ada@reader.example\nOriginal-Rcpt-To: bob@reader.example"
    assert [one.address for one in read(feedback(fields))] == ["ada@reader.example", "bob@reader.example"]


def test_without_a_type_it_is_abuse_and_without_a_recipient_the_message_tells_whose() -> None:
    (signal,) = read(feedback("Version: 1"))
    assert (signal.reason, signal.address) == (Reason.ABUSE, READER)
    (signal,) = read(feedback("Version: 1", ISSUE.replace(f"To: {READER}", f"Received: from x for <{READER}>; now")))
    assert signal.address == READER


def test_a_complaint_about_nobody_known_still_counts() -> None:
    (signal,) = read(feedback("Feedback-Type: abuse", "REDACTED"))
    assert (signal.kind, signal.address) == (Kind.COMPLAINT, "")


def test_loops_that_know_no_standard_are_heard() -> None:
    junked = f"X-HmXmrOriginalRecipient: {READER}\nFrom: {EDITOR}\nSubject: Number 56\nDate: today\n\nHello"
    for data in (
        attached("", junked, **{"from": "staff@hotmail.com", "subject": "complaint about message from 192.0.2.1"}),
        attached("", **{"from": "abuse@provider.example", "subject": "Spam report"}),
    ):
        (signal,) = read(data)
        assert (signal.kind, signal.address) == (Kind.COMPLAINT, READER)
