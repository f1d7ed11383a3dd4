"""Mailgun. Needs the account's HTTP webhook signing key as `secret`.

https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/securing-webhooks
"""

from __future__ import annotations

import binascii

from newsletter.feedback.providers.payload import (
    TOKEN,
    bounce,
    complaint,
    load,
    local_part,
    moment,
    part,
    text,
    unsubscribe,
)
from newsletter.feedback.providers.webhook import Forged, Request, Settings, check_fresh, check_mac, from_epoch
from newsletter.feedback.signal import Reason, Signal

# Why Mailgun did not even try.
_NOT_TRIED = {
    "suppress-bounce": Reason.INACTIVE,
    "suppress-complaint": Reason.INACTIVE,
    "suppress-unsubscribe": Reason.INACTIVE,
    "old": Reason.EXPIRED,
}


def verify(request: Request, settings: Settings) -> None:
    """Raises Forged unless our key signed it, lately."""
    given = load(request.body)
    stamp, nonce = text(given, "signature", "timestamp"), text(given, "signature", "token")
    try:
        mac = binascii.unhexlify(text(given, "signature", "signature"))
    except (binascii.Error, ValueError):
        mac = b""
    if not check_mac(settings.secret.encode(), f"{stamp}{nonce}".encode(), mac):
        raise Forged("the webhook's signature is not of our Mailgun signing key")
    check_fresh(from_epoch(stamp), request.received)


def signals(body: bytes) -> list[Signal]:
    """The failure, complaint or unsubscription of one event. What Mailgun will try again is soft."""
    data = part(load(body), "event-data")
    address, event, when = text(data, "recipient"), text(data, "id"), moment(text(data, "timestamp"))
    token = text(data, "user-variables", TOKEN) or local_part(text(data, "message", "headers", "message-id"))
    match text(data, "event"):
        case "failed":
            told = part(data, "delivery-status")
            said = text(told, "message") or text(told, "description")
            reason = _NOT_TRIED.get(text(data, "reason"))
            lasting = text(data, "severity") == "permanent"
            words = said if said.startswith(text(told, "code")) else f"{text(told, 'code')} {said}"
            status = text(told, "enhanced-code")
            return [
                bounce(
                    address,
                    words,
                    lasting=lasting,
                    reason=reason,
                    status=status,
                    token=token,
                    when=when,
                    event=event,
                    delayed=not lasting,
                )
            ]
        case "complained":
            return [complaint(address, token=token, when=when, event=event)]
        case "unsubscribed":
            return [unsubscribe(address, token=token, when=when, event=event)]
    return []
