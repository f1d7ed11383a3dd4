"""Brevo. Signs nothing: needs a bearer token, or the `user:password` of the webhook's address, as `secret`.

https://developers.brevo.com/docs/transactional-webhooks
"""

from __future__ import annotations

from typing import Any

from newsletter.feedback.providers.payload import (
    bounce,
    complaint,
    load,
    local_part,
    moment,
    objects,
    text,
    unsubscribe,
)
from newsletter.feedback.providers.webhook import Request, Settings, check_password
from newsletter.feedback.signal import Reason, Signal

# Events: whether they are final, and why where the event says.
_BOUNCES: dict[str, tuple[bool, Reason | None]] = {
    "hard_bounce": (True, None),
    "hardBounce": (True, None),
    "invalid_email": (True, Reason.UNKNOWN_USER),
    "blocked": (True, Reason.INACTIVE),
    "soft_bounce": (False, None),
    "softBounce": (False, None),
    "deferred": (False, None),
    "error": (False, None),
}


def verify(request: Request, settings: Settings) -> None:
    """Raises Forged without our token or password."""
    check_password(request, settings)


def signals(body: bytes) -> list[Signal]:
    """The bounce, complaint or unsubscription of an event; Brevo may send several at once."""
    return [signal for data in objects(load(body)) if (signal := _signal(data))]


def _signal(data: dict[str, Any]) -> Signal | None:
    kind, address, words = text(data, "event"), text(data, "email"), text(data, "reason")
    token = text(data, "X-Mailin-custom") or local_part(text(data, "message-id"))
    when = moment(text(data, "ts_epoch") or text(data, "ts_event") or text(data, "ts"))
    # The id is the webhook's own: an event is known by its message, its kind and its time.
    event = " ".join((text(data, "message-id"), kind, text(data, "ts_event") or text(data, "ts_epoch")))
    if kind in _BOUNCES:
        lasting, reason = _BOUNCES[kind]
        delayed = kind == "deferred"
        return bounce(
            address, words, lasting=lasting, reason=reason, token=token, when=when, event=event, delayed=delayed
        )
    if kind in ("spam", "complaint"):
        return complaint(address, words, token=token, when=when, event=event)
    if kind in ("unsubscribed", "unsubscribe"):
        return unsubscribe(address, words, token=token, when=when, event=event)
    return None
