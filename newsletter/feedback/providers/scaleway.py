"""Scaleway Transactional Email, over Topics and Events.

Needs `topics`, the `certificate` from `certificate_url`, and Scaleway's trust chain as `authorities`.
https://www.scaleway.com/en/docs/transactional-email/reference-content/webhook-events-payloads
"""

from __future__ import annotations

import re

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from newsletter.feedback.providers import sns
from newsletter.feedback.providers.payload import bounce, load, local_part, moment, objects, text
from newsletter.feedback.providers.webhook import Forged, Request, Settings
from newsletter.feedback.signal import Reason, Signal

_CERTIFICATE_HOST = re.compile(r"messaging\.s3\.fr-par\.scw\.cloud")
_CERTIFICATE = re.compile(r"/[\w/-]{1,200}\.pem")
_HOST = re.compile(r"sns\.mnq\.[a-z]{2}-[a-z]{3}\.scaleway\.com")
# Types of events: whether they are final, and why where they say.
_BOUNCES: dict[str, tuple[bool, Reason | None]] = {
    "email_dropped": (True, None),
    "email_mailbox_not_found": (True, Reason.UNKNOWN_USER),
    "email_blocklisted": (True, Reason.INACTIVE),
    "email_deferred": (False, None),
    "email_spam": (False, Reason.CONTENT),
}


def certificate_url(request: Request, settings: Settings) -> str:
    """Where the signing certificate is; raises Forged where that is not Scaleway, or the topic is not ours."""
    return sns.pinned(text(sns.opened(request, settings), "SigningCertURL"), _CERTIFICATE_HOST, _CERTIFICATE)


def verify(request: Request, settings: Settings) -> None:
    """Raises Forged unless Scaleway signed it, lately, for one of our topics, with a certificate of its own."""
    certificate_url(request, settings)
    try:
        certificate = x509.load_pem_x509_certificate(settings.certificate)
        issuers = x509.load_pem_x509_certificates(settings.authorities)
    except ValueError:
        raise Forged("the webhook's certificate or Scaleway's trust chain is not in PEM") from None
    if not certificate.not_valid_before_utc <= request.received <= certificate.not_valid_after_utc:
        raise Forged("the webhook's certificate is not valid now")
    if not any(_issued(certificate, issuer) for issuer in issuers):
        raise Forged("the webhook's certificate was not issued by Scaleway")
    sns.check_signature(request, settings)


def confirmation_url(body: bytes) -> str | None:
    """What to GET to subscribe to a topic, where a verified request asks for that."""
    return sns.confirmation_url(load(body), _HOST)


def signals(body: bytes) -> list[Signal]:
    """The bounce an event tells of, if it tells of one."""
    data, event = sns.inner(body)
    if (kind := text(data, "type")) not in _BOUNCES:
        return []
    lasting, reason = _BOUNCES[kind]
    code, message = text(data, "email_response_code"), text(data, "email_response_message")
    words = message if message.startswith(code) else f"{code} {message}"
    headers = {text(one, "key").lower(): text(one, "value") for one in objects(data.get("email_headers"))}
    return [
        bounce(
            text(data, "email_to"),
            words or text(data, "email_error"),
            lasting=lasting,
            reason=reason,
            token=local_part(headers.get("message-id", "")),
            when=moment(text(data, "created_at")),
            event=text(data, "id") or event,
            delayed=kind == "email_deferred",
        )
    ]


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
