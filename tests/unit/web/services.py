"""What each service sends to our webhook: bodies of the shape its page documents, signed as it signs them."""

from __future__ import annotations

import hmac
import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from newsletter.clock import utc_now
from tests.unit.feedback.providers.certificates import Holder, holder
from tests.unit.feedback.providers.requests import basic
from tests.unit.feedback.providers.test_sns import AMAZON, SCALEWAY, SIGNED

Sent = tuple[dict[str, str], bytes]
Body = Callable[[str, str], Any]

PASSWORD = "hooks:a long password"
AMAZONS_TOPIC = "arn:aws:sns:eu-west-1:123456789012:weekly"
SCALEWAYS_TOPIC = "arn:scw:sns:fr-par:project-1b5e2f3c:weekly"
FAR = 36_500


@dataclass(frozen=True, slots=True)
class Service:
    """A service, the `page` that documents its bodies, and its body for a bounce and a complaint.

    Both are made of an address and of our Message-ID; `sign` makes a request of one, with our key or with another.
    """

    name: str
    page: str
    sign: Callable[[Any, bool], Sent]
    bounce: Body
    complaint: Body | None
    account: dict[str, Any]


def with_password(data: Any, ours: bool) -> Sent:
    return {"authorization": basic(PASSWORD if ours else "hooks:a guess")}, json.dumps(data).encode()


MAILGUN_KEY = "key-0123456789abcdef"


def by_mailgun(data: Any, ours: bool) -> Sent:
    stamp, nonce = str(int(utc_now().timestamp())), "c2c4ac2f5b4b4f6aa1"
    key = MAILGUN_KEY if ours else "another"
    mac = hmac.new(key.encode(), f"{stamp}{nonce}".encode(), "sha256").hexdigest()
    signature = {"timestamp": stamp, "token": nonce, "signature": mac}
    return {}, json.dumps({"signature": signature, "event-data": data}).encode()


SENDGRID_KEY, ANOTHER_KEY = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())


def by_sendgrid(data: Any, ours: bool) -> Sent:
    body, stamp = json.dumps(data).encode(), str(int(utc_now().timestamp()))
    signature = (SENDGRID_KEY if ours else ANOTHER_KEY).sign(stamp.encode() + body, ECDSA(SHA256()))
    name = "x-twilio-email-event-webhook"
    return {f"{name}-signature": b64encode(signature).decode(), f"{name}-timestamp": stamp}, body


def by_resend(data: Any, ours: bool) -> Sent:
    body, stamp = json.dumps(data).encode(), str(int(utc_now().timestamp()))
    key = b"a secret of twenty-four bytes" if ours else b"another secret"
    mac = b64encode(hmac.digest(key, f"msg_1.{stamp}.".encode() + body, "sha256")).decode()
    return {"svix-id": "msg_1", "svix-timestamp": stamp, "svix-signature": f"v1,{mac}"}, body


def amazon() -> Holder:
    return holder("sns")


def scaleway() -> Holder:
    return holder("scaleway's leaf", "authority", FAR)


def over_sns(data: Any, ours: bool, *, signer: Callable[[], Holder], topic: str, url: str, version: str) -> Sent:
    notification = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": topic,
        "Message": json.dumps(data),
        "Timestamp": f"{utc_now():%Y-%m-%dT%H:%M:%S}.000Z",
        "SignatureVersion": version,
        "SigningCertURL": url,
    }
    text = "".join(f"{name}\n{notification[name]}\n" for name in SIGNED if name in notification)
    key = (signer() if ours else holder("somebody else")).key
    signature = key.sign(text.encode(), PKCS1v15(), SHA1() if version == "1" else SHA256())
    return {}, json.dumps(notification | {"Signature": b64encode(signature).decode()}).encode()


def postmark(address: str, _message_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "RecordType": "Bounce",
        "MessageStream": "broadcast",
        "ID": 4323372036854775807,
        "Type": "HardBounce",
        "TypeCode": 1,
        "Name": "Hard bounce",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {},
        "ServerID": 23,
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": address,
        "From": "redaction@hebdo.example",
        "BouncedAt": f"{utc_now():%Y-%m-%d}T00:00:00Z",
        "Inactive": True,
        **fields,
    }


def postmark_complaint(address: str, _message_id: str) -> dict[str, Any]:
    return {
        "RecordType": "SubscriptionChange",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "ServerID": 23,
        "MessageStream": "broadcast",
        "ChangedAt": f"{utc_now():%Y-%m-%d}T00:00:00Z",
        "Recipient": address,
        "Origin": "Recipient",
        "SuppressSending": True,
        "SuppressionReason": "SpamComplaint",
        "Tag": None,
        "Metadata": {},
    }


def mailgun(address: str, message_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "event": "failed",
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": 1773392378.25,
        "severity": "permanent",
        "reason": "bounce",
        "recipient": address,
        "recipient-domain": address.partition("@")[2],
        "delivery-status": {"attempt-no": 1, "code": 550, "enhanced-code": "5.1.1", "message": "5.1.1 No such user"},
        "message": {"headers": {"from": "redaction@hebdo.example", "to": address, "message-id": message_id}},
        "user-variables": {},
        **fields,
    }


def sendgrid(address: str, message_id: str, **fields: Any) -> list[dict[str, Any]]:
    event = {
        "email": address,
        "timestamp": 1773392378,
        "smtp-id": f"<{message_id}>",
        "sg_event_id": "6g4ZI7SA-xmRDv57GoPIPw==",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "event": "bounce",
        "type": "bounce",
        "reason": "550 5.1.1 The email account does not exist",
        "status": "5.1.1",
    }
    return [{**event, "event": "processed", "sg_event_id": "sg-0"}, {**event, **fields}]


def brevo(address: str, message_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "event": "hard_bounce",
        "email": address,
        "id": 26224,
        "date": "2026-03-13 09:59:38",
        "ts": 1773392378,
        "message-id": f"<{message_id}>",
        "ts_event": 1773392378,
        "ts_epoch": 1773392378000,
        "subject": "Number 56",
        "sending_ip": "192.0.2.7",
        "reason": "550 5.1.1 no such user",
        **fields,
    }


def mailjet(address: str, _message_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "event": "bounce",
        "time": 1773392378,
        "MessageID": 19421777835146490,
        "Message_GUID": "1ab23cd4-e567-8901-2345-6789f0gh1i2j",
        "email": address,
        "mj_campaign_id": 7257,
        "mj_contact_id": 4,
        "customcampaign": "",
        "CustomID": "",
        "Payload": "",
        "blocked": True,
        "hard_bounce": True,
        "error_related_to": "recipient",
        "error": "user unknown",
        "comment": "550 5.1.1 no such user",
        **fields,
    }


def sparkpost(address: str, _message_id: str, **fields: Any) -> list[dict[str, Any]]:
    event = {
        "type": "bounce",
        "bounce_class": "10",
        "error_code": "550",
        "event_id": "92356927693813856",
        "message_id": "000443ee14578172be22",
        "raw_rcpt_to": address,
        "rcpt_to": address,
        "rcpt_meta": {},
        "raw_reason": "550 5.1.1 no such user",
        "reason": "550 5.1.1 ...",
        "timestamp": "1773392378",
        **fields,
    }
    return [{"msys": {"message_event": event}}]


def resend(address: str, _message_id: str, **fields: Any) -> dict[str, Any]:
    return {
        "type": "email.bounced",
        "created_at": "2026-03-13T08:59:38.000Z",
        "data": {
            "created_at": "2026-03-13T08:59:30.000Z",
            "email_id": "56761188-7520-42d8-8898-ff6fc54ce618",
            "from": "L’Hebdo <redaction@hebdo.example>",
            "to": [address],
            "subject": "Number 56",
            "bounce": {"message": "550 5.1.1 no such user", "subType": "General", "type": "Permanent"},
        },
        **fields,
    }


def ses(address: str, message_id: str) -> dict[str, Any]:
    return {
        "notificationType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "reportingMTA": "dns; mx.example.org",
            "bouncedRecipients": [
                {
                    "emailAddress": address,
                    "status": "5.1.1",
                    "action": "failed",
                    "diagnosticCode": "smtp; 550 5.1.1 User unknown",
                }
            ],
            "timestamp": "2026-03-13T08:59:38.237Z",
            "feedbackId": "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa068a-000000",
        },
        "mail": ses_mail(address, message_id),
    }


def ses_complaint(address: str, message_id: str) -> dict[str, Any]:
    return {
        "notificationType": "Complaint",
        "complaint": {
            "userAgent": "AnyCompany Feedback Loop (V0.01)",
            "complainedRecipients": [{"emailAddress": address}],
            "complaintFeedbackType": "abuse",
            "timestamp": "2026-03-13T08:59:38.000Z",
            "feedbackId": "000001378603177f-18c07c78-fa81-4a58-9dd1-fedc3cb8f49a-000000",
        },
        "mail": ses_mail(address, message_id),
    }


def ses_mail(address: str, message_id: str) -> dict[str, Any]:
    return {
        "timestamp": "2026-03-13T08:59:30.000Z",
        "source": "redaction@hebdo.example",
        "messageId": "00000138111222aa-33322211-cccc-cccc-cccc-ddddaaaa0680-000000",
        "destination": [address],
        "headersTruncated": False,
        "commonHeaders": {"to": [address], "messageId": f"<{message_id}>", "subject": "Number 56"},
    }


def scaleway_bounce(address: str, message_id: str) -> dict[str, Any]:
    return {
        "id": "6f2e0f0c-95b5-4a9e-a8a7-16c2dbfe6d7a",
        "type": "email_mailbox_not_found",
        "created_at": "2026-03-13T08:59:38Z",
        "email_id": "2f0a6f27-7d5c-4f6e-8f67-3b9c2a1f9f3b",
        "email_from": "redaction@hebdo.example",
        "email_to": address,
        "email_headers": [{"key": "Message-ID", "value": f"<{message_id}>"}],
        "email_try_count": 1,
        "email_response_code": 550,
        "email_response_message": "5.1.1 no such user",
    }


def with_fields(body: Callable[..., Any], **fields: Any) -> Body:
    return partial(body, **fields)


SERVICES = [
    Service(
        "postmark",
        "https://postmarkapp.com/developer/webhooks/subscription-change-webhook",
        with_password,
        postmark,
        postmark_complaint,
        {"secret": PASSWORD},
    ),
    Service(
        "mailgun",
        "https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads",
        by_mailgun,
        mailgun,
        with_fields(mailgun, event="complained", severity=None, **{"delivery-status": None}),
        {"secret": MAILGUN_KEY},
    ),
    Service(
        "sendgrid",
        "https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event",
        by_sendgrid,
        sendgrid,
        with_fields(sendgrid, event="spamreport", type=None, reason=None, status=None),
        {
            "secret": b64encode(
                SENDGRID_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            ).decode()
        },
    ),
    Service(
        "brevo",
        "https://developers.brevo.com/docs/transactional-webhooks",
        with_password,
        brevo,
        with_fields(brevo, event="spam", reason=None),
        {"secret": PASSWORD},
    ),
    Service(
        "mailjet",
        "https://documentation.mailjet.com/hc/en-us/articles/360043578154-Event-Tracking-API",
        with_password,
        mailjet,
        with_fields(mailjet, event="spam", source="JMRPP", hard_bounce=None, error=None, comment=None),
        {"secret": PASSWORD},
    ),
    Service(
        "sparkpost",
        "https://developers.sparkpost.com/api/webhooks/",
        with_password,
        sparkpost,
        with_fields(sparkpost, type="spam_complaint", fbtype="abuse", bounce_class=None, raw_reason=None),
        {"secret": PASSWORD},
    ),
    Service(
        "resend",
        "https://resend.com/docs/webhooks/emails/bounced",
        by_resend,
        resend,
        with_fields(resend, type="email.complained"),
        {"secret": f"whsec_{b64encode(b'a secret of twenty-four bytes').decode()}"},
    ),
    Service(
        "ses",
        "https://docs.aws.amazon.com/ses/latest/dg/notification-examples.html",
        partial(over_sns, signer=amazon, topic=AMAZONS_TOPIC, url=AMAZON, version="1"),
        ses,
        ses_complaint,
        {"topics": [AMAZONS_TOPIC]},
    ),
    # Scaleway tells no complaints: its `email_spam` is the receiving server's opinion.
    Service(
        "scaleway",
        "https://www.scaleway.com/en/docs/transactional-email/reference-content/webhook-events-payloads",
        partial(over_sns, signer=scaleway, topic=SCALEWAYS_TOPIC, url=SCALEWAY, version="1"),
        scaleway_bounce,
        None,
        {"topics": [SCALEWAYS_TOPIC]},
    ),
]
