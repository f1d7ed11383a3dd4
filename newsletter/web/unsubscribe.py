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
from newsletter.web.visitor import hand_of


def ask(request: Request) -> Response:
    """`GET /u/TOKEN`: asks, and changes nothing, since scanners follow links."""
    recipient = _recipient(request, state_of(request))
    if recipient is None:
        return bad_link(request)
    return _page("unsubscribe", request, recipient)


def leave(request: Request) -> Response:
    """`POST /u/TOKEN`: unsubscribes, without cookie, login or redirect; the second time is as good as the first."""
    state = state_of(request)
    recipient = _recipient(request, state)
    if recipient is None:
        return bad_link(request)
    now = utc_now()
    with state.database.write() as session:
        hand = hand_of(request)
        unsubscribe(session, recipient.list_id, recipient.subscriber_id, now, hand=hand)
        record_unsubscribe(session, recipient, request.headers.get("user-agent", "")[:300], now)
    return _page("unsubscribed", request, recipient)


def _page(name: str, request: Request, recipient: Recipient) -> Response:
    preferences = f"/preferences/{request.path_params['token']}"
    return page(name, language=recipient.language, publication=recipient.publication, preferences=preferences)


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
