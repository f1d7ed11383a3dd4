from __future__ import annotations

from datetime import UTC, datetime

import pytest

from newsletter.feedback.read import read
from newsletter.feedback.signal import Kind, Reason, Severity, Signal
from tests.unit.feedback.letters import ISSUE, READER, attached, report


def only(data: bytes) -> Signal:
    (signal,) = read(data)
    return signal


def failed(status: str, diagnosis: str, **more: str) -> bytes:
    fields = {
        "Final-Recipient": f"rfc822; {READER}",
        "Action": "failed",
        "Status": status,
        "Diagnostic-Code": diagnosis,
    }
    lines = {**fields, **{name.replace("_", "-"): value for name, value in more.items()}}
    return report("\n".join(f"{name}: {value}" for name, value in lines.items() if value))


def test_everything_that_a_report_says_is_in_its_signal() -> None:
    data = report(
        f"""
        Final-Recipient: rfc822; {READER}
        Action: failed
        Status: 5.1.1
        Diagnostic-Code: smtp; 550 5.1.1 <{READER}>: Recipient address rejected:
            User unknown
        Last-Attempt-Date: Fri, 13 Mar 2026 09:30:00 +0100
        """,
        message_id="<report-1@mx.example>",
    )
    assert only(data) == Signal(
        Kind.BOUNCE,
        Severity.HARD,
        Reason.UNKNOWN_USER,
        READER,
        token="t0ken",
        status="5.1.1",
        words=f"550 5.1.1 <{READER}>: Recipient address rejected: User unknown",
        when=datetime(2026, 3, 13, 8, 30, tzinfo=UTC),
        event="report-1@mx.example",
    )


@pytest.mark.parametrize(
    ("severity", "reason", "status", "diagnosis"),
    [
        ("hard", "unknown-user", "5.1.1", "smtp; 550 5.1.1 User unknown"),
        ("soft", "unknown-user", "4.1.1", "smtp; 450 4.1.1 Recipient address rejected: User unknown in local table"),
        ("soft", "unknown-user", "5.0.0", "smtp; 550 No such user here"),
        ("hard", "unknown-user", "5.0.0", f"smtp; 550 <{READER}>: No such user here"),
        ("hard", "unknown-user", "5.1.10", "smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found by lookup"),
        ("hard", "unknown-user", "5.4.1", "smtp; 550 5.4.1 Recipient address rejected: Access denied"),
        ("hard", "unknown-user", "5.1.1", ""),
        ("hard", "unknown-domain", "5.4.4", "X-Postfix; Host or domain name not found. Name service error"),
        ("hard", "unknown-domain", "5.1.2", "smtp; 550 5.1.2 Host unknown"),
        ("hard", "moved", "5.1.6", "smtp; 551 5.1.6 this person has moved"),
        ("hard", "no-mail", "5.1.10", "smtp; 556 5.1.10 the domain has a null MX"),
        ("soft", "inactive", "5.2.1", "smtp; 550 5.2.1 The email account that you tried to reach is disabled"),
        ("soft", "full", "5.2.2", "smtp; 552 5.2.2 Mailbox full"),
        ("soft", "full", "5.1.1", "smtp; 550 5.1.1 the mailbox is over quota"),
        ("soft", "policy", "5.7.1", "smtp; 554 5.7.1 Client host blocked using a DNSBL"),
        ("soft", "policy", "5.7.1", "smtp; 550 5.7.1 RESOLVER.RST.AuthRequired; authentication required"),
        ("soft", "content", "5.6.0", "smtp; 554 5.6.0 this looks like spam"),
        ("soft", "too-large", "5.3.4", "smtp; 552 5.3.4 Message size exceeds fixed limit"),
        ("soft", "greylisted", "4.2.0", "smtp; 450 4.2.0 Greylisted, try again in 300 seconds"),
        ("soft", "rate", "5.2.1", "smtp; 550-5.2.1 The user is receiving mail at a rate that 550 5.2.1 is too much"),
        ("soft", "network", "4.4.1", "X-Postfix; connect to mx.example[192.0.2.1]:25: Connection timed out"),
        ("soft", "network", "5.4.6", "X-Postfix; mail for reader.example loops back to myself"),
        ("soft", "network", "4.4.3", "X-Postfix; Host not found, try again"),
        ("soft", "expired", "4.4.7", "smtp; 554 4.4.7 Message expired: unable to deliver in 840 minutes"),
        ("soft", "other", "5.0.0", "smtp; 554 transaction failed"),
    ],
)
def test_a_class_and_a_reason_follow_from_status_code_and_words(
    severity: str, reason: str, status: str, diagnosis: str
) -> None:
    signal = only(failed(status, diagnosis))
    assert (signal.severity, signal.reason) == (severity, reason)


def test_all_recipients_are_told_each_with_its_own_fate_and_once() -> None:
    data = report(
        """
        Final-Recipient: rfc822; ada@reader.example
        Action: failed
        Status: 5.1.1
        Diagnostic-Code: smtp; 550 5.1.1 unknown

        Final-Recipient: rfc822; bob@reader.example
        Action: failed
        Status: 5.2.2
        Diagnostic-Code: smtp; 552 5.2.2 full

        Final-Recipient: rfc822; ADA@reader.example
        Action: failed
        Status: 5.2.2
        """
    )
    assert [(one.address, one.reason) for one in read(data)] == [
        ("ada@reader.example", Reason.UNKNOWN_USER),
        ("bob@reader.example", Reason.FULL),
    ]


def test_recipients_run_together_without_blank_lines_are_told_apart() -> None:
    data = report(
        """
        Final-Recipient: rfc822; ada@reader.example
        Action: failed
        Status: 5.1.1
        Final-Recipient: rfc822; bob@reader.example
        Action: failed
        Status: 5.2.2
        """
    )
    assert [(one.address, one.status) for one in read(data)] == [
        ("ada@reader.example", "5.1.1"),
        ("bob@reader.example", "5.2.2"),
    ]


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded (to multi-recipient alias)", "deliverable"])
def test_what_arrived_is_no_signal(action: str) -> None:
    assert read(report(f"Final-Recipient: rfc822; {READER}\nAction: {action}\nStatus: 2.0.0")) == []


def test_a_delay_is_soft_whatever_its_words() -> None:
    for diagnosis in ("smtp; 450 4.1.1 User unknown", "smtp; 421 try later", ""):
        signal = only(failed("4.0.0", diagnosis, Action="delayed"))
        assert signal.severity is Severity.SOFT
    assert signal.reason is Reason.EXPIRED


@pytest.mark.parametrize(
    "fields",
    [
        "Original-Recipient: rfc822; ada@reader.example\nAction: failed",
        "Final-Recipient: RFC822; <ada@reader.example>\nAction: failed",
        "Final-Recipient: ada@reader.example\nAction: failed",
        "Final-Recipient: x400; c=be;o=press\nOriginal-Recipient: rfc822;ada@reader.example\nAction: failed",
        "Final-Recipient: rfc822;/var/spool/ada\nX-Actual-Recipient: rfc822; ada@reader.example\nAction: failed",
        "Action: failed\nStatus: 5.0.0",
    ],
)
def test_a_recipient_is_found_in_the_field_that_has_one_or_else_outside(fields: str) -> None:
    assert only(report(fields, returned=ISSUE)).address == READER


def test_a_status_in_the_words_counts_where_the_field_is_vague() -> None:
    assert only(failed("5.0.0", "smtp; 550 5.7.26 unauthenticated")).status == "5.7.26"
    assert only(failed("5.1.1", "smtp; 550 5.7.26 unauthenticated")).status == "5.1.1"


def test_a_recipient_refused_after_the_message_was_seen_is_not_gone() -> None:
    for notes in (
        f"<{READER}>: host mx said: 550 User unknown\n    (in reply to end of DATA command)",
        f"<{READER}>:\n>>> DATA\n<<< 550 Unknown user",
    ):
        signal = only(
            report(
                f"Final-Recipient: rfc822; {READER}\nAction: failed\nDiagnostic-Code: smtp; 550 User unknown", notes
            )
        )
        assert (signal.severity, signal.reason) == (Severity.SOFT, Reason.POLICY)


@pytest.mark.parametrize(
    "told",
    [
        "(in reply to RCPT TO command)",
        "SMTP error from remote mail server after RCPT TO:<ada>",
        ">>> RCPT To:<ada>",
        "192.0.2.1 does not like recipient.",
        "Reason: Remote SMTP server has rejected address",
        ">>> DATA\n<<< 550 no such user\n<<< 554 5.5.1 Error: no valid recipients",
    ],
)
def test_a_reply_that_a_filter_could_give_is_believed_where_it_answers_the_recipient(told: str) -> None:
    fields = (
        f"Final-Recipient: rfc822; {READER}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550 no such user"
    )
    assert only(report(fields, told)).severity is Severity.HARD
    assert only(report(fields, "It was not delivered.")).severity is Severity.SOFT


def test_who_was_looked_up_after_the_message_and_is_not_there_is_gone() -> None:
    words = "554 delivery error: dd This user doesn't have a reader.example account"
    fields = f"Final-Recipient: rfc822; {READER}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; {words}"
    signal = only(report(fields, f"<{READER}>\n>>> DATA\n<<< {words}"))
    assert (signal.severity, signal.reason) == (Severity.HARD, Reason.UNKNOWN_USER)


def test_a_report_that_says_nothing_but_that_mail_was_returned_blames_nobody() -> None:
    signal = only(attached("--- Delivery report unavailable ---", subject="Undelivered Mail Returned to Sender"))
    assert signal.reason is Reason.OTHER


def test_a_recipient_refused_before_commands_that_were_sent_ahead_is_gone() -> None:
    notes = ">>> DATA\n<<< 550 5.1.1 User unknown\n550 5.1.1 User unknown\n<<< 503 5.0.0 Need RCPT (recipient)"
    fields = f"Final-Recipient: rfc822; {READER}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no"
    assert only(report(fields, notes)).severity is Severity.HARD


def test_fields_at_the_end_of_a_text_are_read_like_fields() -> None:

    data = attached(
        f"""
        An error occurred while delivering to:
        {READER}

        Reporting-MTA: dsn; out.example

        Action: failed
        Final-Recipient: rfc822; {READER}
        Diagnostic-Code: smtp; 552 5.2.2 over quota
        Status: 5.2.2
        """
    )
    assert (only(data).status, only(data).reason) == ("5.2.2", Reason.FULL)


def test_a_report_that_was_forwarded_whole_is_read() -> None:
    inner = failed("5.1.1", "smtp; 550 5.1.1 User unknown").decode()

    assert only(attached("", inner)).reason is Reason.UNKNOWN_USER
