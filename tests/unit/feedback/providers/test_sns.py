"""Services that notify over SNS: Amazon SES and Scaleway."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from newsletter.errors import InputError
from newsletter.feedback.providers import scaleway, ses
from newsletter.feedback.providers.webhook import Forged, Request, Settings
from newsletter.feedback.read import read
from newsletter.feedback.signal import Kind, Reason, Severity
from tests.unit.feedback.providers.certificates import holder
from tests.unit.feedback.providers.requests import LONG_AGO, NOW, READER, request

AMAZON = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-6209c161c6221fdf56ec1eb5c821d112.pem"
SCALEWAY = "https://messaging.s3.fr-par.scw.cloud/fr-par/sns/certificate-1.pem"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:weekly"
SIGNED = ("Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


def envelope(message: Any, signer: str = "sns", version: str = "1", **fields: str) -> dict[str, Any]:
    """A notification as SNS signs it."""
    data = {
        "Type": "Notification",
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": f"{NOW:%Y-%m-%dT%H:%M:%S}.000Z",
        "SignatureVersion": version,
        "SigningCertURL": AMAZON,
        **fields,
    }
    text = "".join(f"{name}\n{data[name]}\n" for name in SIGNED if data.get(name))
    hashed = SHA1() if version == "1" else SHA256()
    return {**data, "Signature": b64encode(holder(signer).key.sign(text.encode(), PKCS1v15(), hashed)).decode()}


def ours() -> Settings:
    return Settings(topics=(TOPIC,), certificate=holder("sns").pem)


BOUNCE = {
    "notificationType": "Bounce",
    "bounce": {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [
            {
                "emailAddress": READER,
                "action": "failed",
                "status": "5.1.1",
                "diagnosticCode": "smtp; 550 5.1.1 <ada@reader.example>... User unknown",
            }
        ],
        "timestamp": "2026-03-13T08:59:38.237Z",
        "feedbackId": "00000138111222aa",
    },
    "mail": {"messageId": "0000", "commonHeaders": {"messageId": "<t0ken@press.example>"}},
}
COMPLAINT = {
    "eventType": "Complaint",
    "complaint": {
        "complainedRecipients": [{"emailAddress": READER}],
        "timestamp": "2026-03-13T08:59:38.000Z",
        "complaintFeedbackType": "abuse",
    },
    "mail": {"messageId": "0000", "tags": {"delivery": ["t0ken"]}},
}


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("more", [{}, {"Subject": "Amazon SES Email Event Notification"}])
def test_what_amazon_signed_for_our_topic_is_believed(version: str, more: dict[str, str]) -> None:
    ses.verify(request(envelope(BOUNCE, version=version, **more)), ours())


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("signature", {**envelope(BOUNCE), "Message": "{}"}),
        ("signature", {**envelope(BOUNCE), "MessageId": "another"}),
        ("signature", {**envelope(BOUNCE), "Subject": "added"}),
        ("signature", {**envelope(BOUNCE), "Signature": "!"}),
        ("signature", {**envelope(BOUNCE), "SignatureVersion": "3"}),
        ("signature", envelope(BOUNCE, signer="somebody else")),
        ("not one of ours", envelope(BOUNCE, TopicArn="arn:aws:sns:eu-west-1:666666666666:weekly")),
        ("played again", envelope(BOUNCE, Timestamp=f"{LONG_AGO:%Y-%m-%dT%H:%M:%S}Z")),
        ("when it was signed", envelope(BOUNCE, Timestamp="yesterday")),
        ("not a notification", envelope(BOUNCE, Type="Greeting")),
        *(
            ("not an address of the service", envelope(BOUNCE, SigningCertURL=url))
            for url in (
                "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-6209c161.pem",
                "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-6209c161.pem",
                "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-6209c161.pem",
                "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-6209c161.pem",
                "https://evil.example/sns.eu-west-1.amazonaws.com/SimpleNotificationService-6209c161.pem",
                "https://sns.eu-west-1.amazonaws.com/evil.pem",
                "https://bucket.s3.amazonaws.com/SimpleNotificationService-6209c161.pem",
                "https://[",
                "",
            )
        ),
    ],
)
def test_what_is_forged_played_again_or_of_another_topic_is_refused(what: str, data: dict[str, Any]) -> None:
    with pytest.raises(Forged, match=what) as refused:
        ses.verify(request(data), ours())
    assert "\n" not in str(refused.value)


def test_only_for_our_own_topics_is_a_certificate_to_be_fetched() -> None:
    known = Settings(topics=(TOPIC,))
    assert ses.certificate_url(request(envelope(BOUNCE)), known) == AMAZON
    assert scaleway.certificate_url(request(dropped()), known) == SCALEWAY
    foreign = "arn:aws:sns:eu-west-1:666666666666:weekly"
    for provider, data in (
        (ses, envelope(BOUNCE, TopicArn=foreign)),
        (scaleway, dropped() | {"TopicArn": foreign}),
    ):
        with pytest.raises(Forged, match="not one of ours"):
            provider.certificate_url(request(data), known)
    with pytest.raises(Forged, match="not one of ours"):
        ses.certificate_url(request(envelope(BOUNCE)), Settings())


@pytest.mark.parametrize("certificate", [b"", b"not PEM"])
def test_without_the_certificate_nothing_is_believed(certificate: bytes) -> None:
    with pytest.raises(Forged):
        ses.verify(request(envelope(BOUNCE)), Settings(topics=(TOPIC,), certificate=certificate))


@pytest.mark.parametrize("data", [b"", b"nonsense", b"[]", b'"text"', b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_notification_is_refused(data: bytes) -> None:
    with pytest.raises(InputError):
        ses.verify(request(data), ours())


def test_a_subscription_is_recognised_and_confirmed_at_amazon_only() -> None:
    def asking(url: str) -> Request:
        return request(envelope("You have chosen", Type="SubscriptionConfirmation", Token="2336", SubscribeURL=url))

    good = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=2336"
    ses.verify(asking(good), ours())
    assert ses.confirmation_url(asking(good).body) == good
    assert ses.signals(asking(good).body) == []
    assert ses.confirmation_url(request(envelope(BOUNCE)).body) is None
    with pytest.raises(Forged):
        ses.confirmation_url(asking("https://evil.example/?Action=ConfirmSubscription").body)


def test_a_bounce_of_ses_is_told_as_a_signal() -> None:
    (signal,) = ses.signals(request(envelope(BOUNCE)).body)
    assert (signal.kind, signal.severity, signal.reason) == (Kind.BOUNCE, Severity.HARD, Reason.UNKNOWN_USER)
    assert (signal.address, signal.token, signal.status) == (READER, "t0ken", "5.1.1")
    assert signal.words == "550 5.1.1 <ada@reader.example>... User unknown"
    assert signal.when == datetime(2026, 3, 13, 8, 59, 38, 237000, tzinfo=UTC)
    assert signal.event == "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"


@pytest.mark.parametrize(
    ("kind", "subtype", "severity", "reason"),
    [
        ("Permanent", "NoEmail", Severity.HARD, Reason.UNKNOWN_USER),
        ("Permanent", "OnAccountSuppressionList", Severity.HARD, Reason.INACTIVE),
        ("Transient", "MailboxFull", Severity.SOFT, Reason.FULL),
        ("Transient", "ContentRejected", Severity.SOFT, Reason.CONTENT),
        ("Transient", "General", Severity.SOFT, Reason.UNKNOWN_USER),
        ("Undetermined", "Undetermined", Severity.SOFT, Reason.UNKNOWN_USER),
    ],
)
def test_the_classes_of_ses_are_ours(kind: str, subtype: str, severity: Severity, reason: Reason) -> None:
    data = {**BOUNCE, "bounce": {**BOUNCE["bounce"], "bounceType": kind, "bounceSubType": subtype}}  # type: ignore[dict-item]
    (signal,) = ses.signals(request(envelope(data)).body)
    assert (signal.severity, signal.reason) == (severity, reason)


def test_a_complaint_of_ses_is_told_as_a_signal_and_praise_is_not() -> None:
    (signal,) = ses.signals(request(envelope(COMPLAINT)).body)
    assert (signal.kind, signal.address, signal.token) == (Kind.COMPLAINT, READER, "t0ken")
    praise = {**COMPLAINT, "complaint": {"complaintFeedbackType": "not-spam"}}
    assert ses.signals(request(envelope(praise)).body) == []
    assert ses.signals(request(envelope({"eventType": "Delivery"})).body) == []
    assert ses.signals(request(envelope("Successfully validated SNS topic")).body) == []


def test_a_notification_that_comes_by_mail_is_told_alike() -> None:
    mail = b"From: no-reply@sns.amazonaws.com\nSubject: AWS Notification Message\nMessage-ID: <n1@ses>\n\n"
    text = json.dumps(BOUNCE).encode() + b"\n\n--\nIf you wish to stop receiving these, click.\n"
    (signal,) = read(mail + text)
    assert (signal.kind, signal.address, signal.severity, signal.event) == (
        Kind.BOUNCE,
        READER,
        Severity.HARD,
        "n1@ses",
    )
    assert read(mail + b'{"notificationType":"Delivery","mail":{}}') == []
    assert read(mail + b'{"notificationType": cut') == []
    within = json.dumps({"Type": "Notification", "TopicArn": TOPIC, "Message": json.dumps(BOUNCE)}, indent=1)
    # As sendmail breaks lines that are too long, wherever that falls.
    broken = within.replace("General", "Gen!\n eral")
    assert [read(mail + one.encode()) for one in (within, broken)] == [[signal], [signal]]
    assert read(mail + b'{"Type":"Notification","Message":"You have chosen to subscribe"}') == []


def dropped(**fields: Any) -> dict[str, Any]:
    event = {
        "id": "event-1",
        "type": "email_mailbox_not_found",
        "created_at": "2026-03-13T08:59:00Z",
        "email_to": READER,
        "email_headers": [{"key": "Message-ID", "value": "<t0ken@press.example>"}],
        "email_response_code": 550,
        "email_response_message": "5.1.1 no such user",
        **fields,
    }
    return envelope(event, signer="scaleway", SigningCertURL=SCALEWAY)


def theirs(signer: str = "scaleway") -> Settings:
    return Settings(topics=(TOPIC,), certificate=holder(signer).pem, authorities=holder("authority").pem)


@pytest.fixture(autouse=True)
def _issued() -> None:
    """Scaleway's certificate comes from its authority, whichever test runs first."""
    holder("scaleway")


def test_scaleway_is_believed_by_its_authority() -> None:
    leaf = holder("leaf", "authority")
    data = dropped()
    text = "".join(f"{name}\n{data[name]}\n" for name in SIGNED if data.get(name))
    data["Signature"] = b64encode(leaf.key.sign(text.encode(), PKCS1v15(), SHA1())).decode()
    settings = replace(theirs(), certificate=leaf.pem)
    scaleway.verify(request(data), settings)
    with pytest.raises(Forged, match="not issued by Scaleway"):
        scaleway.verify(request(data), replace(settings, authorities=holder("somebody else").pem))
    with pytest.raises(Forged, match="not valid now"):
        scaleway.verify(request(data), replace(settings, certificate=holder("old", "authority", -1).pem))
    with pytest.raises(Forged, match="not in PEM"):
        scaleway.verify(request(data), replace(settings, authorities=b""))
    with pytest.raises(Forged, match="signature"):
        scaleway.verify(request({**data, "MessageId": "another"}), settings)
    with pytest.raises(Forged, match="not an address of the service"):
        scaleway.verify(request({**data, "SigningCertURL": "https://evil.s3.fr-par.scw.cloud/c.pem"}), settings)


@pytest.mark.parametrize(
    ("kind", "severity", "reason"),
    [
        ("email_mailbox_not_found", Severity.HARD, Reason.UNKNOWN_USER),
        ("email_dropped", Severity.HARD, Reason.UNKNOWN_USER),
        ("email_blocklisted", Severity.HARD, Reason.INACTIVE),
        ("email_deferred", Severity.SOFT, Reason.UNKNOWN_USER),
        ("email_spam", Severity.SOFT, Reason.CONTENT),
    ],
)
def test_the_events_of_scaleway_are_told_as_signals(kind: str, severity: Severity, reason: Reason) -> None:
    (signal,) = scaleway.signals(request(dropped(type=kind)).body)
    assert (signal.severity, signal.reason) == (severity, reason)
    assert (signal.address, signal.token, signal.event) == (READER, "t0ken", "event-1")
    assert signal.words == "550 5.1.1 no such user"
    assert scaleway.signals(request(dropped(type="email_delivered")).body) == []
