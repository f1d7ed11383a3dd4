"""Opens and clicks: the reader is answered at once, whatever becomes of the event."""

from __future__ import annotations

import structlog
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from newsletter.errors import UnavailableError
from newsletter.models import EventKind
from newsletter.tracking.tokens import Target, read_token
from newsletter.web.pages import bad_link
from newsletter.web.state import State, state_of

# A transparent pixel, GIF89a: the smallest that every mail program shows.
PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
NEVER_KEPT = {"Cache-Control": "no-store, private", "Pragma": "no-cache"}

log = structlog.get_logger()


def pixel(request: Request) -> Response:
    """`GET /o/TOKEN.gif`: the pixel, whatever the token."""
    state = state_of(request)
    target = read_token(state.tokens.opens, request.path_params["token"])
    if target is not None:
        _note(request, state, EventKind.OPEN, target)
    return Response(PIXEL, media_type="image/gif", headers=NEVER_KEPT)


def click(request: Request) -> Response:
    """`GET /c/TOKEN/N`: a redirect to link N of the mailing that TOKEN belongs to, and to nowhere else."""
    state = state_of(request)
    number: int = request.path_params["number"]
    target = read_token(state.tokens.clicks, request.path_params["token"])
    url = state.link_target(target.mailing_id, number) if target else None
    if target is None or url is None:
        return bad_link(request)
    _note(request, state, EventKind.CLICK, target, number)
    return RedirectResponse(url, status_code=302, headers=NEVER_KEPT)


def _note(request: Request, state: State, kind: EventKind, target: Target, link_number: int | None = None) -> None:
    if request.method == "HEAD":
        return
    agent = request.headers.get("user-agent", "")
    try:
        state.events.note(kind, target.mailing_id, target.delivery_id, link_number, agent)
    except UnavailableError as error:
        # The reader comes first; what was lost is at least written down.
        log.warning("event lost", kind=kind.value, mailing_id=target.mailing_id, reason=str(error))


routes = [
    Route("/o/{token}.gif", pixel),
    Route("/c/{token}/{number:int}", click),
]
