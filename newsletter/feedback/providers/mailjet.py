"""Mailjet. Signs nothing: needs the `user:password` of the webhook's address as `secret`.

https://dev.mailjet.com/email/guides/webhooks/
"""

from __future__ import annotations

from typing import Any

from newsletter.feedback.providers.payload import bounce, complaint, load, moment, objects, text, unsubscribe
from newsletter.feedback.providers.webhook import Request, Settings, check_password
from newsletter.feedback.signal import Reason, Signal

# Mailjet's errors, by what they are of our reasons.
_REASONS = {
    "user unknown": Reason.UNKNOWN_USER,
    "typofix": Reason.UNKNOWN_USER,
    "invalid domain": Reason.UNKNOWN_DOMAIN,
    "no mail host": Reason.UNKNOWN_DOMAIN,
    "mailbox inactive": Reason.INACTIVE,
    "preblocked": Reason.INACTIVE,
    "quota exceeded": Reason.FULL,
    "relay/access denied": Reason.POLICY,
    "sender blocked": Reason.POLICY,
    "policy issue": Reason.POLICY,
    "content blocked": Reason.CONTENT,
    "greylisted": Reason.GREYLISTED,
    "connection issue": Reason.NETWORK,
}


def verify(request: Request, settings: Settings) -> None:
    """Raises Forged without our password."""
    check_password(request, settings)


def signals(body: bytes) -> list[Signal]:
    """The bounces, complaints and unsubscriptions of a request: one event, or many where they are grouped."""
    return [signal for data in objects(load(body)) if (signal := _signal(data))]


def _signal(data: dict[str, Any]) -> Signal | None:
    kind, address, token = text(data, "event"), text(data, "email"), text(data, "CustomID")
    when = moment(text(data, "time"))
    event = " ".join((text(data, "MessageID"), kind, text(data, "time")))
    match kind:
        case "bounce" | "blocked":
            error = text(data, "error")
            words = text(data, "comment") or error
            # A blocked message met no mailbox; only what Mailjet holds back itself is the address's fault.
            lasting = data.get("hard_bounce") is True or error == "preblocked"
            reason = _REASONS.get(error)
            return bounce(address, words, lasting=lasting, reason=reason, token=token, when=when, event=event)
        case "spam":
            return complaint(address, text(data, "source"), token=token, when=when, event=event)
        case "unsub":
            return unsubscribe(address, token=token, when=when, event=event)
    return None
