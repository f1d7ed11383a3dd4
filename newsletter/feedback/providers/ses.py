"""Amazon SES, over SNS: bounce and complaint notifications, and the same as events.

Needs `topics`, and the `certificate` from `certificate_url`.
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

from __future__ import annotations

import json
import re
from typing import Any

from newsletter.feedback.providers import sns
from newsletter.feedback.providers.payload import (
    TOKEN,
    auto_reply,
    bounce,
    complaint,
    load,
    local_part,
    moment,
    objects,
    part,
    text,
)
from newsletter.feedback.providers.webhook import Request, Settings
from newsletter.feedback.signal import Reason, Signal

_HOST = re.compile(r"sns\.[a-z]{2}(?:-[a-z]+)+-\d\.amazonaws\.com")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-f]{8,64}\.pem")
# The notification itself, or SNS's envelope around it, as the subscription is set up.
_BY_MAIL = re.compile(r'\s*\{\s*"(?:notificationType|eventType|Type)"\s*:')
# How sendmail breaks lines of more than 990 characters.
_BROKEN = "!\n "
_REASONS = {
    "NoEmail": Reason.UNKNOWN_USER,
    "Suppressed": Reason.INACTIVE,
    "OnAccountSuppressionList": Reason.INACTIVE,
    "MailboxFull": Reason.FULL,
    "MessageTooLarge": Reason.TOO_LARGE,
    "ContentRejected": Reason.CONTENT,
    "AttachmentRejected": Reason.CONTENT,
}


def certificate_url(request: Request, settings: Settings) -> str:
    """Where the signing certificate is; raises Forged where that is not Amazon, or the topic is not ours."""
    return sns.pinned(text(sns.opened(request, settings), "SigningCertURL"), _HOST, _CERTIFICATE)


def verify(request: Request, settings: Settings) -> None:
    """Raises Forged unless Amazon signed it, lately, for one of our topics."""
    certificate_url(request, settings)
    sns.check_signature(request, settings)


def confirmation_url(body: bytes) -> str | None:
    """What to GET to subscribe to a topic, where a verified request asks for that."""
    return sns.confirmation_url(load(body), _HOST)


def signals(body: bytes) -> list[Signal]:
    """The recipients of a bounce or a complaint, each with what SES says of it."""
    return _told(*sns.inner(body))


def from_mail(written: str, event: str) -> list[Signal] | None:
    """The same where SNS sends notifications by mail, whose text they are; None for any other text."""
    if not _BY_MAIL.match(written):
        return None
    try:
        data, _ = json.JSONDecoder().raw_decode(written.replace(_BROKEN, "").lstrip())
        if text(data, "Type") == "Notification":
            data = json.loads(text(data, "Message"))
        return _told(data, event)
    except (ValueError, RecursionError):
        return None


def _told(data: Any, event: str) -> list[Signal]:
    mail = part(data, "mail")
    token = text(mail, "tags", TOKEN) or local_part(text(mail, "commonHeaders", "messageId"))
    match text(data, "notificationType") or text(data, "eventType"):
        case "Bounce":
            told = part(data, "bounce")
            when, subtype = moment(text(told, "timestamp")), text(told, "bounceSubType")
            lasting = text(told, "bounceType") == "Permanent"
            return [
                bounce(
                    text(one, "emailAddress"),
                    text(one, "diagnosticCode").removeprefix("smtp; ") or subtype,
                    lasting=lasting,
                    reason=_REASONS.get(subtype),
                    status=text(one, "status"),
                    token=token,
                    when=when,
                    event=event,
                )
                for one in objects(told.get("bouncedRecipients"))
            ]
        case "Complaint":
            told = part(data, "complaint")
            kind = text(told, "complaintFeedbackType")
            if kind == "not-spam":
                return []
            when = moment(text(told, "timestamp"))
            make = auto_reply if kind == "auto-reply" else complaint
            recipients = objects(told.get("complainedRecipients"))
            return [make(text(one, "emailAddress"), kind, token=token, when=when, event=event) for one in recipients]
    return []
