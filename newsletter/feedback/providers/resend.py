"""Resend, which signs as Svix does. Needs the webhook's signing secret (`whsec_…`) as `secret`.

https://resend.com/docs/webhooks/emails/bounced and https://docs.svix.com/receiving/verifying-payloads/how-manual
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from datetime import timedelta

from newsletter.errors import ConfigError
from newsletter.feedback.providers.payload import TOKEN, bounce, complaint, load, moment, part, text
from newsletter.feedback.providers.webhook import Forged, Request, Settings, check_fresh, check_mac, from_epoch
from newsletter.feedback.signal import Reason, Signal

_PREFIX = "whsec_"
# Svix signs each attempt anew, and asks for no more patience.
_WITHIN = timedelta(minutes=5)
_REASONS = {
    "NoEmail": Reason.UNKNOWN_USER,
    "Suppressed": Reason.INACTIVE,
    "OnAccountSuppressionList": Reason.INACTIVE,
    "MailboxFull": Reason.FULL,
    "MessageTooLarge": Reason.TOO_LARGE,
    "ContentRejected": Reason.CONTENT,
    "AttachmentRejected": Reason.CONTENT,
}


def verify(request: Request, settings: Settings) -> None:
    """Raises Forged unless our secret signed it, in the last minutes; ConfigError for a secret that is none."""
    try:
        key = b64decode(settings.secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError("Resend's signing secret is not base64 after whsec_") from None
    stamp = request.header("svix-timestamp")
    signed = f"{request.header('svix-id')}.{stamp}.".encode() + request.body
    if not any(check_mac(key, signed, mac) for mac in _given(request.header("svix-signature"))):
        raise Forged("the webhook's signature is not of our Resend signing secret")
    check_fresh(from_epoch(stamp), request.received, _WITHIN)


def signals(body: bytes) -> list[Signal]:
    """The recipients of a bounced, delayed or complained-of message."""
    event = load(body)
    data = part(event, "data")
    kind, when = text(event, "type"), moment(text(event, "created_at"))
    recipients = data.get("to") if isinstance(data.get("to"), list) else [text(data, "to")]
    token = text(data, "tags", TOKEN)
    name = f"{text(data, 'email_id')} {kind} {text(event, 'created_at')}"
    addresses = [one for one in recipients or [] if isinstance(one, str)]
    match kind:
        case "email.complained":
            return [complaint(address, token=token, when=when, event=name) for address in addresses]
        case "email.bounced" | "email.delivery_delayed" | "email.suppressed":
            told = part(data, "bounce") or part(data, "suppressed")
            final = kind == "email.suppressed" or text(told, "type") == "Permanent"
            reason = Reason.INACTIVE if kind == "email.suppressed" else _REASONS.get(text(told, "subType"))
            return [
                bounce(
                    address,
                    text(told, "message"),
                    lasting=final,
                    reason=reason,
                    token=token,
                    when=when,
                    event=name,
                    delayed=kind == "email.delivery_delayed",
                )
                for address in addresses
            ]
    return []


def _given(header: str) -> list[bytes]:
    """The signatures of version 1 in a header that may hold several, for keys that are being changed."""
    found = []
    for one in header.split():
        version, _, mac = one.partition(",")
        try:
            found += [b64decode(mac, validate=True)] if version == "v1" else []
        except (binascii.Error, ValueError):
            continue
    return found
