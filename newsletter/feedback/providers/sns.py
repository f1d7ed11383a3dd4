"""The envelope of Amazon's Simple Notification Service, which Scaleway's Topics and Events uses too.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from newsletter.feedback.providers.payload import load, moment, text
from newsletter.feedback.providers.webhook import Forged, Request, Settings, check_fresh

_CONFIRMATIONS = ("SubscriptionConfirmation", "UnsubscribeConfirmation")
# What is signed, in this order; a subject only where there is one.
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    **dict.fromkeys(
        _CONFIRMATIONS, ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
    ),
}
_HASHES: dict[str, SHA1 | SHA256] = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - version 1 is what accounts start with


def pinned(url: str, host: re.Pattern[str], path: re.Pattern[str]) -> str:
    """The address, if it is one of the service itself; raises Forged for any other."""
    try:
        parts = urlsplit(url)
        good = parts.scheme == "https" and parts.netloc == parts.hostname and host.fullmatch(parts.netloc)
    except ValueError:
        good = None
    if not good or not path.fullmatch(parts.path):
        raise Forged(f"the webhook names “{url[:200]}”, which is not an address of the service it says it comes from")
    return url


def opened(request: Request, settings: Settings) -> dict[str, Any]:
    """The envelope, once its topic is one of ours and its age is right: until then nothing in it is worth a look."""
    envelope = load(request.body)
    if not isinstance(envelope, dict) or text(envelope, "Type") not in _SIGNED:
        raise Forged("the webhook is not a notification of a topic")
    if text(envelope, "TopicArn") not in settings.topics:
        raise Forged(f"the webhook's topic “{text(envelope, 'TopicArn')[:200]}” is not one of ours")
    check_fresh(moment(text(envelope, "Timestamp")), request.received)
    return envelope


def check_signature(request: Request, settings: Settings) -> None:
    """Raises Forged unless the certificate has signed an envelope that may be `opened`."""
    envelope = opened(request, settings)
    fields = [name for name in _SIGNED[text(envelope, "Type")] if name != "Subject" or envelope.get("Subject")]
    signed = "".join(f"{name}\n{text(envelope, name)}\n" for name in fields)
    try:
        certificate = x509.load_pem_x509_certificate(settings.certificate)
        key, hashed = certificate.public_key(), _HASHES[text(envelope, "SignatureVersion")]
        if not isinstance(key, RSAPublicKey):
            raise Forged("the webhook's certificate holds no RSA key")
        key.verify(b64decode(text(envelope, "Signature"), validate=True), signed.encode(), PKCS1v15(), hashed)
    except (InvalidSignature, KeyError, ValueError, binascii.Error):
        raise Forged("the webhook's signature is not of its certificate") from None


def confirmation_url(envelope: dict[str, Any], host: re.Pattern[str]) -> str | None:
    """Where to confirm that we want a topic's notifications; None for what asks nothing."""
    if text(envelope, "Type") != "SubscriptionConfirmation":
        return None
    return pinned(text(envelope, "SubscribeURL"), host, re.compile(r"/?"))


def inner(body: bytes) -> tuple[Any, str]:
    """The event inside a notification and the notification's id, which stays the same when it is sent again."""
    envelope = load(body)
    if text(envelope, "Type") != "Notification":
        return {}, ""
    message = text(envelope, "Message")
    # A service's first notification is a sentence.
    return (load(message.encode()) if message.lstrip().startswith("{") else {}), text(envelope, "MessageId")
