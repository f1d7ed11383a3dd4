"""A message in the browser, for whom a mail program shows it badly."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from newsletter.sending.copy import copy_of
from newsletter.tracking.deliveries import find_recipient
from newsletter.tracking.tokens import read_token
from newsletter.web.pages import bad_link
from newsletter.web.state import state_of

# The message's own styles stand in its elements; nothing of it may run or be fetched from elsewhere.
MESSAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)


def message(request: Request) -> Response:
    """`GET /v/TOKEN`: the message as its reader got it. The token is that of its unsubscribe link."""
    state = state_of(request)
    target = read_token(state.tokens.unsubscribes, request.path_params["token"])
    with state.database.read() as session:
        recipient = find_recipient(session, target) if target else None
        html = copy_of(session, recipient, state.tokens) if recipient else None
    if html is None:
        return bad_link(request)
    # Its links to us lead to wherever this page was found.
    html = html.replace(f'"{state.settings.base_url}/', '"/')
    return HTMLResponse(html, headers={"Content-Security-Policy": MESSAGE_POLICY, "Cache-Control": "no-store"})


routes = [Route("/v/{token}", message)]
