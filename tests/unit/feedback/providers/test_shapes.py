"""Whoever knows a password may still send nonsense."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.feedback.providers import (
    brevo,
    mailgun,
    mailjet,
    postmark,
    resend,
    scaleway,
    sendgrid,
    ses,
    sparkpost,
)
from newsletter.feedback.providers.payload import moment
from newsletter.feedback.signal import Signal
from tests.unit.feedback.providers.requests import body

PROVIDERS = (brevo, mailgun, mailjet, postmark, resend, scaleway, sendgrid, ses, sparkpost)
ALL = [provider.signals for provider in PROVIDERS]
NAMES = [
    *("event", "type", "Type", "Message", "bounce", "bouncedRecipients", "mail", "data", "to", "msys", "event-data"),
    *("email", "recipient", "delivery-status", "reason", "timestamp", "notificationType", "complaint", "tags"),
    *("RecordType", "Metadata", "email_headers", "suppressed", "time", "ts_epoch", "created_at", "message_event"),
]
VALUES = [
    *("bounce", "Bounce", "Complaint", "Notification", "failed", "email.bounced", "email_dropped", "dropped", "{}"),
    *("HardBounce", "hard_bounce", "spam_complaint", "9" * 30, "-1", "NaN", "{}x", '{"type": "email_dropped"}'),
]
leaves = st.one_of(st.none(), st.booleans(), st.floats(), st.integers(), st.sampled_from(VALUES), st.text(max_size=9))
shapes = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)),
    max_leaves=20,
)


@pytest.mark.parametrize("signals", ALL, ids=[provider.__name__.rpartition(".")[2] for provider in PROVIDERS])
@settings(deadline=None, max_examples=200)
@given(data=shapes)
def test_any_json_is_told_as_signals_or_none(signals: Callable[[bytes], list[Signal]], data: Any) -> None:
    # A notification inside a notification may be no JSON, which is said in one line.
    with suppress(InputError):
        assert all(isinstance(signal, Signal) for signal in signals(body(data)))


@pytest.mark.parametrize("signals", ALL, ids=[provider.__name__.rpartition(".")[2] for provider in PROVIDERS])
def test_what_is_no_json_is_said_in_one_line(signals: Callable[[bytes], list[Signal]]) -> None:
    with pytest.raises(InputError, match="the webhook's body is not JSON"):
        signals(b"<html>")


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-13T08:59:38Z",
        "2026-03-13T09:59:38+01:00",
        "2026-03-13T08:59:38",
        "2026-03-13 08:59:38.000000+00:00",
        "1773392378",
        "1773392378.0",
        "1773392378000",
        "Fri, 13 Mar 2026 08:59:38 +0000",
    ],
)
def test_times_are_read_in_every_way_services_write_them(text: str) -> None:
    assert moment(text) == datetime(2026, 3, 13, 8, 59, 38, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "9" * 40, "-1e400", "99999999999999999.9", "²"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert moment(text) is None
