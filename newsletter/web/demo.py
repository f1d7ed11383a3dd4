"""The demo's pages: the messages its catch-all server caught, and the report. Only where there is an outbox."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from newsletter.mail.outbox import Outbox
from newsletter.sending.receipt import make_receipt
from newsletter.stats.funnel import funnel, notes
from newsletter.stats.report import report
from newsletter.stats.summary import all_mailings
from newsletter.web.pages import gone, page
from newsletter.web.state import state_of

PAGE_SIZE = 50
# The message's own styles stand in its elements; nothing of it may run or be fetched from elsewhere.
MESSAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
VIEWS = ("html", "text", "headers", "source")


def home(_request: Request) -> Response:
    """`GET /`: to the mailbox."""
    return RedirectResponse("/demo/messages")


def messages(request: Request) -> Response:
    """`GET /demo/messages?before=N`: the caught messages, the latest first."""
    outbox = _outbox(request)
    numbers = outbox.numbers()
    before = request.query_params.get("before", "")
    older = [number for number in numbers if not before.isdecimal() or number < int(before)]
    shown = [(number, _parse(outbox.get(number).raw)) for number in reversed(older[-PAGE_SIZE:])]
    more = shown[-1][0] if len(older) > PAGE_SIZE else None
    return page("demo-messages", shown=shown, total=len(numbers), more=more)


def message(request: Request) -> Response:
    """`GET /demo/messages/N?view=…`: one message, seen as its reader, or as a mail server, sees it."""
    kept = _outbox(request).get(request.path_params["number"])
    view = request.query_params.get("view", "html")
    parsed = _parse(kept.raw)
    return page(
        "demo-message",
        number=kept.number,
        message=parsed,
        view=view if view in VIEWS else "html",
        views=VIEWS,
        text=_body(parsed, "plain"),
        source=kept.raw.decode("utf-8", "replace").replace("\r\n", "\n"),
        public_url=state_of(request).settings.base_url,
    )


def message_html(request: Request) -> Response:
    """`GET /demo/messages/N/html`: the HTML part alone, links to the made-up domain led to this machine."""
    kept = _outbox(request).get(request.path_params["number"])
    html = _body(_parse(kept.raw), "html")
    html = html.replace(f"{state_of(request).settings.base_url}/", "/")
    html = html.replace("<head>", '<head><base target="_blank">', 1)
    return HTMLResponse(html, headers={"Content-Security-Policy": MESSAGE_POLICY, "Cache-Control": "no-store"})


def reports(request: Request) -> Response:
    """`GET /demo/reports`: the latest mailing's report."""
    with state_of(request).database.read() as session:
        mailings = all_mailings(session)
    return RedirectResponse(f"/demo/reports/{mailings[0]}") if mailings else gone(request)


def mailing_report(request: Request) -> Response:
    """`GET /demo/reports/ID`: what came of a mailing, and its receipt."""
    mailing_id: int = request.path_params["mailing_id"]
    with state_of(request).database.read() as session:
        facts = report(session, mailing_id)
        receipt = make_receipt(session, mailing_id, facts.mailing.states)
    return page("demo-report", report=facts, steps=funnel(facts), notes=notes(facts), receipt=receipt)


def _outbox(request: Request) -> Outbox:
    directory = state_of(request).outbox
    assert directory is not None  # noqa: S101 - these routes exist only with an outbox
    return Outbox(directory)


def _parse(data: bytes) -> EmailMessage:
    return message_from_bytes(data, _class=EmailMessage, policy=policy.default)


def _body(parsed: EmailMessage, subtype: str) -> str:
    part = parsed.get_body(preferencelist=(subtype,))
    return str(part.get_content()) if part else ""


routes = [
    Route("/", home),
    Route("/demo/messages", messages),
    Route("/demo/messages/{number:int}", message),
    Route("/demo/messages/{number:int}/html", message_html),
    Route("/demo/reports", reports),
    Route("/demo/reports/{mailing_id:int}", mailing_report),
]
