"""Services that sign with a key of ours or of theirs: Mailgun, SendGrid and Resend."""

from __future__ import annotations

import hmac
from base64 import b64encode
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.errors import ConfigError, InputError
from newsletter.feedback.providers import mailgun, resend, sendgrid
from newsletter.feedback.providers.webhook import Forged, Request, Settings
from newsletter.feedback.signal import Kind, Reason, Severity
from tests.unit.feedback.providers.requests import LONG_AGO, NOW, READER, body, request

MAILGUN = Settings(secret="key-0123456789abcdef")


def mailgun_request(event: dict[str, Any], when: datetime = NOW, key: str = MAILGUN.secret) -> Request:
    stamp, nonce = str(int(when.timestamp())), "c2c4ac2f5b4b4f6aa1"
    mac = hmac.new(key.encode(), f"{stamp}{nonce}".encode(), "sha256").hexdigest()
    return request({"signature": {"timestamp": stamp, "token": nonce, "signature": mac}, "event-data": event})


FAILED = {
    "event": "failed",
    "severity": "permanent",
    "reason": "bounce",
    "id": "pVqXGJWhTzysS9GpwF2hlQ",
    "timestamp": 1773392378.237,
    "recipient": READER,
    "delivery-status": {"code": 550, "enhanced-code": "5.1.1", "message": "5.1.1 No such user", "description": ""},
    "message": {"headers": {"message-id": "t0ken@press.example"}},
    "user-variables": {},
}


def test_what_mailgun_signed_with_our_key_is_believed_while_it_is_fresh() -> None:
    mailgun.verify(mailgun_request(FAILED), MAILGUN)
    with pytest.raises(Forged, match="played again"):
        mailgun.verify(mailgun_request(FAILED, LONG_AGO), MAILGUN)
    with pytest.raises(Forged, match="signing key"):
        mailgun.verify(mailgun_request(FAILED, key="another"), MAILGUN)
    with pytest.raises(Forged, match="signing key"):
        mailgun.verify(mailgun_request(FAILED, key=""), Settings())
    with pytest.raises(Forged, match="signing key"):
        mailgun.verify(request({"event-data": FAILED}), MAILGUN)
    with pytest.raises(InputError, match="not JSON"):
        mailgun.verify(request(b"<html>"), MAILGUN)


@pytest.mark.parametrize(
    ("event", "kind", "severity", "reason"),
    [
        (FAILED, Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER),
        ({**FAILED, "severity": "temporary"}, Kind.BOUNCE, Severity.SOFT, Reason.UNKNOWN_USER),
        ({**FAILED, "reason": "suppress-bounce"}, Kind.BOUNCE, Severity.HARD, Reason.INACTIVE),
        ({**FAILED, "reason": "old"}, Kind.BOUNCE, Severity.SOFT, Reason.EXPIRED),
        (
            {**FAILED, "delivery-status": {"code": 554, "message": "5.7.1 blocked by a DNSBL"}},
            Kind.BOUNCE,
            Severity.SOFT,
            Reason.POLICY,
        ),
        ({**FAILED, "event": "complained"}, Kind.COMPLAINT, Severity.HARD, Reason.ABUSE),
        ({**FAILED, "event": "unsubscribed"}, Kind.UNSUBSCRIBE, Severity.HARD, Reason.OPT_OUT),
    ],
)
def test_the_events_of_mailgun_are_told_as_signals(
    event: dict[str, Any], kind: Kind, severity: Severity, reason: Reason
) -> None:
    (signal,) = mailgun.signals(mailgun_request(event).body)
    assert (signal.kind, signal.severity, signal.reason) == (kind, severity, reason)
    assert (signal.address, signal.token, signal.event) == (READER, "t0ken", "pVqXGJWhTzysS9GpwF2hlQ")
    assert signal.when is not None
    assert signal.when.year == 2026


def test_an_event_of_mailgun_that_is_no_feedback_is_none() -> None:
    assert mailgun.signals(body({"event-data": {"event": "delivered"}})) == []
    assert mailgun.signals(b"[]") == []


KEY = generate_private_key(SECP256R1())


def public(key: EllipticCurvePrivateKey) -> Settings:
    raw = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Settings(secret=b64encode(raw).decode())


def sendgrid_request(*events: dict[str, Any], when: datetime = NOW, key: EllipticCurvePrivateKey = KEY) -> Request:
    data, stamp = body(list(events)), str(int(when.timestamp()))
    signature = b64encode(key.sign(stamp.encode() + data, ECDSA(SHA256()))).decode()
    return request(
        data,
        X_Twilio_Email_Event_Webhook_Signature=signature,
        X_Twilio_Email_Event_Webhook_Timestamp=stamp,
    )


BOUNCED = {
    "email": READER,
    "timestamp": 1773392378,
    "smtp-id": "<t0ken@press.example>",
    "event": "bounce",
    "type": "bounce",
    "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
    "reason": "550 5.1.1 The email account does not exist",
    "status": "5.1.1",
}


def test_what_sendgrid_signed_is_believed_while_it_is_fresh() -> None:
    sendgrid.verify(sendgrid_request(BOUNCED), public(KEY))
    whole = sendgrid_request(BOUNCED)
    for forged in (
        sendgrid_request(BOUNCED, key=generate_private_key(SECP256R1())),
        replace(whole, body=whole.body + b" "),
        replace(whole, headers={**whole.headers, "X-Twilio-Email-Event-Webhook-Timestamp": "1773392379"}),
        replace(whole, headers={**whole.headers, "X-Twilio-Email-Event-Webhook-Signature": "!"}),
        replace(whole, headers={}),
    ):
        with pytest.raises(Forged, match="verification key"):
            sendgrid.verify(forged, public(KEY))
    with pytest.raises(Forged, match="played again"):
        sendgrid.verify(sendgrid_request(BOUNCED, when=LONG_AGO), public(KEY))


@pytest.mark.parametrize("secret", ["", "not base64!", "AAAA"])
def test_a_key_of_sendgrid_that_is_none_is_named(secret: str) -> None:
    with pytest.raises(ConfigError, match="SendGrid's verification key"):
        sendgrid.verify(sendgrid_request(BOUNCED), Settings(secret=secret))


@pytest.mark.parametrize(
    ("event", "kind", "severity", "reason"),
    [
        (BOUNCED, Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER),
        ({**BOUNCED, "type": "blocked", "reason": "spam", "status": ""}, Kind.BOUNCE, Severity.SOFT, Reason.CONTENT),
        ({**BOUNCED, "reason": "552 mailbox full", "status": "5.2.2"}, Kind.BOUNCE, Severity.SOFT, Reason.FULL),
        (
            {**BOUNCED, "event": "deferred", "response": "450 greylisted"},
            Kind.BOUNCE,
            Severity.SOFT,
            Reason.GREYLISTED,
        ),
        ({**BOUNCED, "event": "dropped", "reason": "Bounced Address"}, Kind.BOUNCE, Severity.HARD, Reason.INACTIVE),
        ({**BOUNCED, "event": "dropped", "reason": "Invalid"}, Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER),
        (
            {**BOUNCED, "event": "dropped", "reason": "Spam Reporting Address"},
            Kind.COMPLAINT,
            Severity.HARD,
            Reason.ABUSE,
        ),
        (
            {**BOUNCED, "event": "dropped", "reason": "Unsubscribed Address"},
            Kind.UNSUBSCRIBE,
            Severity.HARD,
            Reason.OPT_OUT,
        ),
        ({**BOUNCED, "event": "spamreport"}, Kind.COMPLAINT, Severity.HARD, Reason.ABUSE),
        ({**BOUNCED, "event": "group_unsubscribe"}, Kind.UNSUBSCRIBE, Severity.HARD, Reason.OPT_OUT),
    ],
)
def test_the_events_of_sendgrid_are_told_as_signals(
    event: dict[str, Any], kind: Kind, severity: Severity, reason: Reason
) -> None:
    (signal,) = sendgrid.signals(sendgrid_request({"event": "open"}, event).body)
    assert (signal.kind, signal.severity, signal.reason) == (kind, severity, reason)
    assert (signal.address, signal.token, signal.event) == (READER, "t0ken", "6g4ZI7SA-xmRDv57GoPIPw==")


SECRET = b64encode(b"a secret of twenty-four bytes").decode()
RESEND = Settings(secret=f"whsec_{SECRET}")


def resend_request(
    event: dict[str, Any], when: datetime = NOW, key: bytes = b"a secret of twenty-four bytes"
) -> Request:
    data, stamp = body(event), str(int(when.timestamp()))
    mac = b64encode(hmac.digest(key, f"msg_1.{stamp}.".encode() + data, "sha256")).decode()
    return request(data, svix_id="msg_1", svix_timestamp=stamp, svix_signature=f"v1a,x v1,AAAA v1,{mac}")


RESEND_BOUNCE = {
    "type": "email.bounced",
    "created_at": "2026-03-13T08:59:38.000Z",
    "data": {
        "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
        "to": [READER],
        "tags": {"delivery": "t0ken"},
        "bounce": {"message": "550 5.1.1 no such user", "subType": "General", "type": "Permanent"},
    },
}


def test_what_resend_signed_is_believed_while_it_is_fresh() -> None:
    resend.verify(resend_request(RESEND_BOUNCE), RESEND)
    whole = resend_request(RESEND_BOUNCE)
    for forged in (
        resend_request(RESEND_BOUNCE, key=b"another"),
        replace(whole, body=whole.body + b" "),
        replace(whole, headers={**whole.headers, "svix-id": "msg_2"}),
        replace(whole, headers={**whole.headers, "svix-signature": "v1,!"}),
        replace(whole, headers={}),
    ):
        with pytest.raises(Forged, match="signing secret"):
            resend.verify(forged, RESEND)
    with pytest.raises(Forged, match="played again"):
        resend.verify(resend_request(RESEND_BOUNCE, LONG_AGO), RESEND)
    with pytest.raises(Forged):
        resend.verify(resend_request(RESEND_BOUNCE, key=b""), Settings())
    with pytest.raises(ConfigError, match="whsec_"):
        resend.verify(whole, Settings(secret="whsec_!"))


@pytest.mark.parametrize(
    ("kind", "bounce", "severity", "reason"),
    [
        ("email.bounced", {"type": "Permanent", "message": "550 no such user"}, Severity.HARD, Reason.UNKNOWN_USER),
        ("email.bounced", {"type": "Permanent", "subType": "Suppressed"}, Severity.HARD, Reason.INACTIVE),
        ("email.bounced", {"type": "Transient", "subType": "MailboxFull"}, Severity.SOFT, Reason.FULL),
        ("email.delivery_delayed", {}, Severity.SOFT, Reason.OTHER),
        ("email.suppressed", {}, Severity.HARD, Reason.INACTIVE),
    ],
)
def test_the_bounces_of_resend_are_told_as_signals(
    kind: str, bounce: dict[str, str], severity: Severity, reason: Reason
) -> None:
    data = {**RESEND_BOUNCE, "type": kind, "data": {**RESEND_BOUNCE["data"], "bounce": bounce}}  # type: ignore[dict-item]
    (signal,) = resend.signals(body(data))
    assert (signal.kind, signal.severity, signal.reason) == (Kind.BOUNCE, severity, reason)
    assert (signal.address, signal.token) == (READER, "t0ken")


def test_a_complaint_of_resend_is_told_as_a_signal_and_a_delivery_is_not() -> None:
    (signal,) = resend.signals(body({**RESEND_BOUNCE, "type": "email.complained"}))
    assert (signal.kind, signal.address) == (Kind.COMPLAINT, READER)
    assert resend.signals(body({**RESEND_BOUNCE, "type": "email.delivered"})) == []
    assert resend.signals(b"[]") == []
