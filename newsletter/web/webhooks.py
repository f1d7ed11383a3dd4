"""What services that deliver our mail tell of it: verified, done in one transaction, then answered."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from newsletter.clock import utc_now
from newsletter.config import WebhookSetting
from newsletter.errors import InputError
from newsletter.feedback.counts import Unused, count
from newsletter.feedback.providers import (
    brevo,
    mailgun,
    mailjet,
    postmark,
    resend,
    scaleway,
    sendgrid,
    ses,
    sparkpost,
    webhook,
)
from newsletter.feedback.record import apply
from newsletter.feedback.trace import Traces
from newsletter.web.fetch import fetch
from newsletter.web.state import State, state_of
from newsletter.web.visitor import body_of

LARGEST_BYTES = 1 << 20
KEPT_CERTIFICATES = 16
# These name a certificate, and ask whether their notifications are wanted.
OVER_SNS: dict[str, ModuleType] = {"ses": ses, "scaleway": scaleway}
PROVIDERS: dict[str, ModuleType] = OVER_SNS | {
    "brevo": brevo,
    "mailgun": mailgun,
    "mailjet": mailjet,
    "postmark": postmark,
    "resend": resend,
    "sendgrid": sendgrid,
    "sparkpost": sparkpost,
}


async def webhook_of(request: Request) -> Response:
    """`POST /webhooks/PROVIDER`: 200 once done, 403 for what is forged, 413 for too much, 503 to be told again."""
    state = state_of(request)
    provider = request.path_params["provider"]
    setting = next((one for one in state.settings.webhooks if one.provider == provider), None)
    if setting is None:
        return PlainTextResponse("no such webhook\n", 404)
    body = await body_of(request, LARGEST_BYTES)
    if body is None:
        return PlainTextResponse("too large\n", 413)
    told = webhook.Request(dict(request.headers), body, utc_now())
    return await run_in_threadpool(_answer, state, setting, told)


def _answer(state: State, setting: WebhookSetting, told: webhook.Request) -> Response:
    provider = PROVIDERS[setting.provider]
    try:
        provider.verify(told, _account(state, setting, told))
    except InputError:
        # Not said why: whoever forged it would learn from it.
        with state.database.write() as session:
            count(session, setting.provider, Unused.FORGED, told.received)
        return PlainTextResponse("not verified\n", 403)
    try:
        confirm = provider.confirmation_url(told.body) if setting.provider in OVER_SNS else None
        signals = provider.signals(told.body)
    except InputError:
        with state.database.write() as session:
            count(session, setting.provider, Unused.UNREAD, told.received)
        return PlainTextResponse("not understood\n", 400)
    if confirm:
        fetch(confirm, state.tls)
    settings = state.settings
    traces = Traces(settings.secret(), settings.bounce_mailbox)
    with state.database.write() as session:
        apply(session, signals, setting.provider, traces, told.received, settings.soft_bounces)
    return PlainTextResponse("ok\n")


def _account(state: State, setting: WebhookSetting, told: webhook.Request) -> webhook.Settings:
    if setting.provider not in OVER_SNS:
        return webhook.Settings(secret=setting.key())
    account = webhook.Settings(
        topics=setting.topics,
        authorities=setting.authorities_file.read_bytes() if setting.authorities_file else b"",
    )
    # Nothing is asked of any host before the topic is known as ours, and the host as the service's.
    url = OVER_SNS[setting.provider].certificate_url(told, account)
    if url not in state.certificates:
        certificate = fetch(url, state.tls)
        while len(state.certificates) >= KEPT_CERTIFICATES:
            state.certificates.pop(next(iter(state.certificates)), None)
        state.certificates[url] = certificate
    return replace(account, certificate=state.certificates[url])


routes = [Route("/webhooks/{provider}", webhook_of, methods=["POST"])]
