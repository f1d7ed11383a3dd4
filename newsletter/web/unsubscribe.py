"""Leaving a list: a page with one button, and the one-click POST that mail programs make (RFC 8058)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.audience.subscriptions import unsubscribe
from newsletter.clock import utc_now
from newsletter.tracking.deliveries import Recipient, find_recipient, record_unsubscribe
from newsletter.tracking.tokens import read_token
from newsletter.web.pages import bad_link, page
from newsletter.web.state import State, state_of


def ask(request: Request) -> Response:
    """`GET /u/TOKEN`: asks, and changes nothing, since scanners follow links."""
    recipient = _recipient(request, state_of(request))
    if recipient is None:
        return bad_link(request)
    return page("unsubscribe", language=recipient.language, publication=recipient.publication)


def leave(request: Request) -> Response:
    """`POST /u/TOKEN`: unsubscribes, without cookie, login or redirect; the second time is as good as the first."""
    state = state_of(request)
    recipient = _recipient(request, state)
    if recipient is None:
        return bad_link(request)
    now = utc_now()
    with state.database.write() as session:
        unsubscribe(session, recipient.list_id, recipient.subscriber_id, now)
        record_unsubscribe(session, recipient, request.headers.get("user-agent", "")[:300], now)
    return page("unsubscribed", language=recipient.language, publication=recipient.publication)


def _recipient(request: Request, state: State) -> Recipient | None:
    target = read_token(state.tokens.unsubscribes, request.path_params["token"])
    if target is None:
        return None
    with state.database.read() as session:
        return find_recipient(session, target)


routes = [
    Route("/u/{token}", ask, methods=["GET"]),
    Route("/u/{token}", leave, methods=["POST"]),
]
