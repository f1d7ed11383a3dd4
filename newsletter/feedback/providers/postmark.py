"""Postmark. Signs nothing: needs the `user:password` of the webhook's address as `secret`.

https://postmarkapp.com/developer/webhooks/bounce-webhook, …/spam-complaint-webhook, …/subscription-change-webhook
"""

from __future__ import annotations

from newsletter.feedback.providers.payload import (
    TOKEN,
    auto_reply,
    bounce,
    complaint,
    load,
    moment,
    objects,
    text,
    unsubscribe,
)
from newsletter.feedback.providers.webhook import Request, Settings, check_password
from newsletter.feedback.signal import Reason, Signal

# Types of bounces: whether they are final, and why where the type says.
_BOUNCES: dict[str, tuple[bool, Reason | None]] = {
    "HardBounce": (True, None),
    "BadEmailAddress": (True, Reason.UNKNOWN_USER),
    "AddressChange": (True, Reason.MOVED),
    "ManuallyDeactivated": (True, Reason.INACTIVE),
    "InactiveRecipient": (True, Reason.INACTIVE),
    "SoftBounce": (False, None),
    "Transient": (False, None),
    "DnsError": (False, Reason.NETWORK),
    "Blocked": (False, Reason.POLICY),
    "SpamNotification": (False, Reason.CONTENT),
    "VirusNotification": (False, Reason.CONTENT),
    "DMARCPolicy": (False, Reason.POLICY),
    "Unknown": (False, None),
}


def verify(request: Request, settings: Settings) -> None:
    """Raises Forged without our password."""
    check_password(request, settings)


def signals(body: bytes) -> list[Signal]:
    """The bounce, complaint, automatic reply or unsubscription that Postmark tells of."""
    return [signal for data in objects(load(body)) if (signal := _signal(data))]


def _signal(data: dict[str, object]) -> Signal | None:
    address, token = text(data, "Email") or text(data, "Recipient"), text(data, "Metadata", TOKEN)
    when = moment(text(data, "BouncedAt") or text(data, "ChangedAt"))
    event = text(data, "ID") or f"{text(data, 'MessageID')} {text(data, 'ChangedAt')}"
    words = text(data, "Details") or text(data, "Description")
    kind = text(data, "Type")
    if text(data, "RecordType") == "SubscriptionChange":
        # Of streams for many readers Postmark tells complaints in this way alone; a bounce is told twice.
        asked = {"ManualSuppression": unsubscribe, "SpamComplaint": complaint}.get(text(data, "SuppressionReason"))
        suppresses = data.get("SuppressSending") is True
        return asked(address, token=token, when=when, event=event) if asked and suppresses else None
    if kind in _BOUNCES:
        lasting, reason = _BOUNCES[kind]
        return bounce(address, words, lasting=lasting, reason=reason, token=token, when=when, event=event)
    make = {
        "SpamComplaint": complaint,
        "Unsubscribe": unsubscribe,
        "AutoResponder": auto_reply,
        "ChallengeVerification": auto_reply,
    }.get(kind)
    return make(address, words, token=token, when=when, event=event) if make else None
