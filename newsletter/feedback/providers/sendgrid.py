"""Twilio SendGrid. Needs the event webhook's verification key (ECDSA, base64) as `secret`.

https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from newsletter.errors import ConfigError
from newsletter.feedback.providers.payload import (
    TOKEN,
    bounce,
    complaint,
    load,
    local_part,
    moment,
    objects,
    text,
    unsubscribe,
)
from newsletter.feedback.providers.webhook import Forged, Request, Settings, check_fresh, from_epoch
from newsletter.feedback.signal import Reason, Signal

_SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
_TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


def verify(request: Request, settings: Settings) -> None:
    """Raises Forged unless SendGrid signed it, lately; ConfigError for a key that is none."""
    try:
        key = load_der_public_key(b64decode(settings.secret))
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError("SendGrid's verification key is not a public key in base64") from None
    if not isinstance(key, EllipticCurvePublicKey):
        raise ConfigError("SendGrid's verification key is not an elliptic curve's")
    stamp = request.header(_TIMESTAMP)
    try:
        key.verify(b64decode(request.header(_SIGNATURE)), stamp.encode() + request.body, ECDSA(SHA256()))
    except (InvalidSignature, binascii.Error, ValueError):
        raise Forged("the webhook's signature is not of SendGrid's verification key") from None
    check_fresh(from_epoch(stamp), request.received)


def signals(body: bytes) -> list[Signal]:
    """The bounces, drops, complaints and unsubscriptions among the events of one request."""
    return [signal for data in objects(load(body)) if (signal := _signal(data))]


def _signal(data: dict[str, Any]) -> Signal | None:
    address, words, status = text(data, "email"), text(data, "reason"), text(data, "status")
    token = text(data, TOKEN) or local_part(text(data, "smtp-id"))
    when, event = moment(text(data, "timestamp")), text(data, "sg_event_id")
    match text(data, "event"):
        case "bounce":
            lasting = text(data, "type") != "blocked"
            return bounce(address, words, lasting=lasting, status=status, token=token, when=when, event=event)
        case "deferred":
            words = text(data, "response")
            return bounce(
                address, words, lasting=False, status=status, token=token, when=when, event=event, delayed=True
            )
        case "dropped":
            return _dropped(address, words, token=token, when=when, event=event)
        case "spamreport":
            return complaint(address, token=token, when=when, event=event)
        case "unsubscribe" | "group_unsubscribe":
            return unsubscribe(address, token=token, when=when, event=event)
    return None


def _dropped(address: str, words: str, **known: Any) -> Signal | None:
    """What SendGrid did not even try, after earlier events or because of the address."""
    match words.lower():
        case "bounced address":
            return bounce(address, words, lasting=True, reason=Reason.INACTIVE, **known)
        case "invalid" | "invalid smtpapi header":
            reason = Reason.UNKNOWN_USER if words.lower() == "invalid" else Reason.OTHER
            return bounce(address, words, lasting=reason is Reason.UNKNOWN_USER, reason=reason, **known)
        case "spam reporting address":
            return complaint(address, words, **known)
        case "unsubscribed address":
            return unsubscribe(address, words, **known)
    return bounce(address, words, lasting=False, **known)
