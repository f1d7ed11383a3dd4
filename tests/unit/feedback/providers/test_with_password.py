"""Services that sign nothing, so that only the password of the webhook's address tells: Postmark, Brevo, Mailjet
and SparkPost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.feedback.providers import brevo, mailjet, postmark, sparkpost
from newsletter.feedback.providers.webhook import Forged, Request, Settings
from newsletter.feedback.signal import Kind, Reason, Severity, Signal
from tests.unit.feedback.providers.requests import READER, basic, body, request

OURS = Settings(secret="hooks:s3cret")
Verify = Callable[[Request, Settings], None]
WHEN = datetime(2026, 3, 13, 8, 59, 38, tzinfo=UTC)
EPOCH = int(WHEN.timestamp())


@pytest.mark.parametrize("verify", [postmark.verify, brevo.verify, mailjet.verify, sparkpost.verify])
def test_only_who_knows_the_password_is_believed(verify: Verify) -> None:
    verify(request({}, Authorization=basic("hooks:s3cret")), OURS)
    verify(request({}, authorization="Bearer hooks:s3cret"), OURS)
    for given in (basic("hooks:guess"), "Bearer s3cret", "Basic !", "Basic /w==", "Digest x", ""):
        with pytest.raises(Forged):
            verify(request({}, Authorization=given), OURS)
    with pytest.raises(Forged):
        verify(request({}), OURS)
    with pytest.raises(Forged):
        verify(request({}, Authorization=basic("")), Settings())


def fate(signal: Signal) -> tuple[Kind, Severity, Reason]:
    return signal.kind, signal.severity, signal.reason


POSTMARK = {
    "RecordType": "Bounce",
    "ID": 4323372036854775807,
    "Type": "HardBounce",
    "TypeCode": 1,
    "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
    "Metadata": {"delivery": "t0ken"},
    "Details": "smtp;550 5.1.1 no such user",
    "Email": READER,
    "BouncedAt": "2026-03-13T09:59:38+01:00",
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER)),
        ({"Details": "552 mailbox full"}, (Kind.BOUNCE, Severity.SOFT, Reason.FULL)),
        ({"Type": "SoftBounce"}, (Kind.BOUNCE, Severity.SOFT, Reason.UNKNOWN_USER)),
        ({"Type": "BadEmailAddress"}, (Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER)),
        ({"Type": "Blocked"}, (Kind.BOUNCE, Severity.SOFT, Reason.POLICY)),
        ({"Type": "SpamNotification"}, (Kind.BOUNCE, Severity.SOFT, Reason.CONTENT)),
        ({"Type": "SpamComplaint"}, (Kind.COMPLAINT, Severity.HARD, Reason.ABUSE)),
        ({"Type": "Unsubscribe"}, (Kind.UNSUBSCRIBE, Severity.HARD, Reason.OPT_OUT)),
        ({"Type": "AutoResponder"}, (Kind.AUTO_REPLY, Severity.SOFT, Reason.OTHER)),
    ],
)
def test_the_bounces_of_postmark_are_told_as_signals(
    fields: dict[str, str], expected: tuple[Kind, Severity, Reason]
) -> None:
    (signal,) = postmark.signals(body({**POSTMARK, **fields}))
    assert fate(signal) == expected
    assert (signal.address, signal.token, signal.when) == (READER, "t0ken", WHEN)
    assert signal.event == "4323372036854775807"


def test_postmark_tells_of_those_who_unsubscribed_or_complained_there_and_not_of_what_we_did() -> None:
    change = {
        "RecordType": "SubscriptionChange",
        "Recipient": READER,
        "SuppressSending": True,
        "SuppressionReason": "ManualSuppression",
        "ChangedAt": "2026-03-13T08:59:38Z",
    }
    assert [fate(one) for one in postmark.signals(body(change))] == [
        (Kind.UNSUBSCRIBE, Severity.HARD, Reason.OPT_OUT)
    ]
    assert postmark.signals(body({**change, "SuppressSending": False})) == []
    assert postmark.signals(body({**change, "SuppressionReason": "HardBounce"})) == []
    assert [fate(one) for one in postmark.signals(body({**change, "SuppressionReason": "SpamComplaint"}))] == [
        (Kind.COMPLAINT, Severity.HARD, Reason.ABUSE)
    ]
    assert postmark.signals(body({"RecordType": "Delivery"})) == []


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("hard_bounce", (Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER)),
        ("soft_bounce", (Kind.BOUNCE, Severity.SOFT, Reason.UNKNOWN_USER)),
        ("invalid_email", (Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER)),
        ("blocked", (Kind.BOUNCE, Severity.HARD, Reason.INACTIVE)),
        ("spam", (Kind.COMPLAINT, Severity.HARD, Reason.ABUSE)),
        ("unsubscribed", (Kind.UNSUBSCRIBE, Severity.HARD, Reason.OPT_OUT)),
    ],
)
def test_the_events_of_brevo_are_told_as_signals(event: str, expected: tuple[Kind, Severity, Reason]) -> None:
    data = {
        "event": event,
        "email": READER,
        "id": 26224,
        "message-id": "<t0ken@press.example>",
        "ts_event": EPOCH,
        "ts_epoch": EPOCH * 1000,
        "reason": "550 5.1.1 no such user",
    }
    (signal,) = brevo.signals(body(data))
    assert fate(signal) == expected
    assert (signal.address, signal.token, signal.when) == (READER, "t0ken", WHEN)
    assert signal.event == f"<t0ken@press.example> {event} {EPOCH}"
    assert brevo.signals(body({**data, "event": "delivered"})) == []


MAILJET = {
    "event": "bounce",
    "time": EPOCH,
    "MessageID": 19421777835146490,
    "email": READER,
    "CustomID": "t0ken",
    "hard_bounce": True,
    "error_related_to": "recipient",
    "error": "user unknown",
    "comment": "550 5.1.1 no such user",
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER)),
        ({"hard_bounce": False}, (Kind.BOUNCE, Severity.SOFT, Reason.UNKNOWN_USER)),
        ({"error": "quota exceeded"}, (Kind.BOUNCE, Severity.SOFT, Reason.FULL)),
        ({"error": "invalid domain"}, (Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_DOMAIN)),
        (
            {"event": "blocked", "hard_bounce": None, "error": "preblocked"},
            (Kind.BOUNCE, Severity.HARD, Reason.INACTIVE),
        ),
        (
            {"event": "blocked", "hard_bounce": None, "error": "content blocked"},
            (Kind.BOUNCE, Severity.SOFT, Reason.CONTENT),
        ),
        ({"event": "spam", "source": "JMRPP"}, (Kind.COMPLAINT, Severity.HARD, Reason.ABUSE)),
        ({"event": "unsub"}, (Kind.UNSUBSCRIBE, Severity.HARD, Reason.OPT_OUT)),
    ],
)
@pytest.mark.parametrize("grouped", [False, True])
def test_the_events_of_mailjet_are_told_as_signals(
    fields: dict[str, Any], expected: tuple[Kind, Severity, Reason], grouped: bool
) -> None:
    event = {**MAILJET, **fields}
    (signal,) = mailjet.signals(body([event, {"event": "open"}] if grouped else event))
    assert fate(signal) == expected
    assert (signal.address, signal.token, signal.when) == (READER, "t0ken", WHEN)


SPARKPOST = {
    "type": "bounce",
    "bounce_class": "10",
    "raw_rcpt_to": READER,
    "rcpt_to": READER,
    "rcpt_meta": {"delivery": "t0ken"},
    "raw_reason": "550 5.1.1 no such user",
    "event_id": "92356927693813856",
    "timestamp": str(EPOCH),
}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER)),
        ({"bounce_class": "22"}, (Kind.BOUNCE, Severity.SOFT, Reason.FULL)),
        ({"bounce_class": "51"}, (Kind.BOUNCE, Severity.SOFT, Reason.POLICY)),
        ({"bounce_class": "1", "raw_reason": "what"}, (Kind.BOUNCE, Severity.SOFT, Reason.OTHER)),
        ({"type": "delay", "bounce_class": "10"}, (Kind.BOUNCE, Severity.SOFT, Reason.UNKNOWN_USER)),
        ({"type": "out_of_band", "bounce_class": "30"}, (Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER)),
        ({"bounce_class": "60"}, (Kind.AUTO_REPLY, Severity.SOFT, Reason.OTHER)),
        ({"bounce_class": "90"}, (Kind.UNSUBSCRIBE, Severity.HARD, Reason.OPT_OUT)),
        ({"type": "spam_complaint", "fbtype": "abuse"}, (Kind.COMPLAINT, Severity.HARD, Reason.ABUSE)),
        ({"type": "list_unsubscribe"}, (Kind.UNSUBSCRIBE, Severity.HARD, Reason.OPT_OUT)),
    ],
)
def test_the_events_of_sparkpost_are_told_as_signals(
    fields: dict[str, str], expected: tuple[Kind, Severity, Reason]
) -> None:
    batch = [{"msys": {"message_event": {"type": "delivery"}}}, {"msys": {"message_event": {**SPARKPOST, **fields}}}]
    (signal,) = sparkpost.signals(body(batch))
    assert fate(signal) == expected
    assert (signal.address, signal.token, signal.when, signal.event) == (READER, "t0ken", WHEN, "92356927693813856")


def test_the_empty_batch_with_which_sparkpost_tries_us_tells_nothing() -> None:
    assert sparkpost.signals(body([{"msys": {}}])) == []
