"""SparkPost. Signs nothing: needs the webhook's basic `user:password`, or its bearer token, as `secret`.

https://developers.sparkpost.com/api/webhooks/ and https://support.sparkpost.com/docs/deliverability/bounce-classification-codes
"""

from __future__ import annotations

from typing import Any

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

# Classes of bounces: whether they are final, and why where the class says.
_CLASSES: dict[str, tuple[bool, Reason | None]] = {
    "10": (True, Reason.UNKNOWN_USER),
    "21": (False, Reason.NETWORK),
    "22": (False, Reason.FULL),
    "23": (False, Reason.TOO_LARGE),
    "24": (False, Reason.EXPIRED),
    "25": (False, Reason.POLICY),
    "26": (True, Reason.INACTIVE),
    "30": (True, Reason.UNKNOWN_USER),
    "50": (False, Reason.POLICY),
    "51": (False, Reason.POLICY),
    "52": (False, Reason.CONTENT),
    "53": (False, Reason.CONTENT),
    "54": (False, Reason.POLICY),
}
_ANSWERS = ("60", "100")
_UNSUBSCRIBED = "90"


def verify(request: Request, settings: Settings) -> None:
    """Raises Forged without our password or token."""
    check_password(request, settings)


def signals(body: bytes) -> list[Signal]:
    """The bounces, complaints and unsubscriptions among a batch's events; none in the empty batch of a test."""
    events = [event for one in objects(load(body)) for event in _events(one)]
    return [signal for event in events if (signal := _signal(event))]


def _events(one: dict[str, Any]) -> list[dict[str, Any]]:
    enclosed = one.get("msys")
    return objects(list(enclosed.values())) if isinstance(enclosed, dict) else []


def _signal(data: dict[str, Any]) -> Signal | None:
    address, token = text(data, "raw_rcpt_to") or text(data, "rcpt_to"), text(data, "rcpt_meta", TOKEN)
    when, event = moment(text(data, "timestamp")), text(data, "event_id")
    words = text(data, "raw_reason") or text(data, "reason")
    match text(data, "type"):
        case "bounce" | "out_of_band" | "delay" | "policy_rejection":
            kind = text(data, "bounce_class")
            if kind in _ANSWERS:
                return auto_reply(address, words, token=token, when=when, event=event)
            if kind == _UNSUBSCRIBED:
                return unsubscribe(address, words, token=token, when=when, event=event)
            lasting, reason = _CLASSES.get(kind, (False, None))
            delayed = text(data, "type") == "delay"
            return bounce(
                address,
                words,
                lasting=lasting and not delayed,
                reason=reason,
                token=token,
                when=when,
                event=event,
                delayed=delayed,
            )
        case "spam_complaint":
            return complaint(address, text(data, "fbtype"), token=token, when=when, event=event)
        case "list_unsubscribe" | "link_unsubscribe":
            return unsubscribe(address, token=token, when=when, event=event)
    return None
