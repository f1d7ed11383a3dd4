"""Leaving a list: a page with one button, and the one-click POST that mail programs make (RFC 8058).

Both work while SQL is away: the wish is kept in the event buffer then. Where that is away too the answer is 503, by
which a mailbox provider tries again.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.clock import utc_now
from newsletter.errors import UnavailableError
from newsletter.feedback.leaving import leave
from newsletter.tracking.buffer import MAX_USER_AGENT
from newsletter.tracking.deliveries import Recipient, find_recipient
from newsletter.tracking.tokens import Target, read_token
from newsletter.web.pages import bad_link, language_of, page
from newsletter.web.state import State, state_of
from newsletter.web.visitor import hand_of, ip_of


def ask(request: Request) -> Response:
    """`GET /u/TOKEN`: asks, and changes nothing, since scanners follow links."""
    state = state_of(request)
    target = _target(request, state)
    if target is None:
        return bad_link(request)
    try:
        with state.database.read() as session:
            recipient = find_recipient(session, target)
    except UnavailableError:
        return _page("unsubscribe", request)
    return _page("unsubscribe", request, recipient) if recipient else bad_link(request)


def go(request: Request) -> Response:
    """`POST /u/TOKEN`: unsubscribes, without cookie, login or redirect; the second time is as good as the first."""
    state = state_of(request)
    target = _target(request, state)
    if target is None:
        return bad_link(request)
    user_agent = request.headers.get("user-agent", "")[:MAX_USER_AGENT]
    try:
        with state.database.write() as session:
            recipient = leave(session, target, user_agent, hand_of(request), utc_now())
    except UnavailableError:
        state.departures.keep(target, user_agent, ip_of(request))
        return _page("unsubscribed", request)
    return _page("unsubscribed", request, recipient) if recipient else bad_link(request)


def _page(name: str, request: Request, recipient: Recipient | None = None) -> Response:
    """In the publication's language; while nobody can tell which one that is, in the browser's."""
    language = recipient.language if recipient else language_of(request)
    publication = recipient.publication if recipient else ""
    preferences = f"/preferences/{request.path_params['token']}"
    return page(name, language=language, publication=publication, preferences=preferences)


def _target(request: Request, state: State) -> Target | None:
    return read_token(state.tokens.unsubscribes, request.path_params["token"])


routes = [
    Route("/u/{token}", ask, methods=["GET"]),
    Route("/u/{token}", go, methods=["POST"]),
]
