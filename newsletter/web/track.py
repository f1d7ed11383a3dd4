"""Opens and clicks, answered before the web application's routing: the secret and the event buffer are enough."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from newsletter.errors import NewsletterError
from newsletter.models import EventKind
from newsletter.signing import TOKEN_LENGTH
from newsletter.tracking.buffer import entry
from newsletter.tracking.notebook import Notebook
from newsletter.tracking.targets import TargetCache
from newsletter.tracking.tokens import Target, Tokens, read_token
from newsletter.web.pages import bad_link, gone, notice, unavailable
from newsletter.web.security import HEADERS
from newsletter.web.state import state_of

# A transparent pixel, GIF89a: the smallest that every mail program shows.
PIXEL = (
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,"
    b"\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)
# Each field costs a reader's answer: only those that mean something for a picture and for a redirect.
_NEVER_KEPT = (b"cache-control", b"no-store, private")
_PIXEL_START: Message = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"image/gif"),
        (b"content-length", str(len(PIXEL)).encode()),
        _NEVER_KEPT,
    ],
}
# The page a link leads to is not told which reader came, nor a search engine where links of messages lead.
_REDIRECT_FIELDS = [
    (b"content-length", b"0"),
    (b"referrer-policy", HEADERS["Referrer-Policy"].encode()),
    (b"x-robots-tag", HEADERS["X-Robots-Tag"].encode()),
    _NEVER_KEPT,
]
_PIXEL_BODY: Message = {"type": "http.response.body", "body": PIXEL}
_NO_BODY: Message = {"type": "http.response.body", "body": b""}
_SAFE_METHODS = frozenset({"GET", "HEAD"})
_LONGEST_NUMBER = 9


class Track:
    """`GET /o/TOKEN.gif`, the pixel, and `GET /c/TOKEN/N`, a redirect to link N.

    Each event is in the buffer before its reader is answered. A reader is answered all the same where it cannot be.
    Link 0 is the one that no person sees (EventKind.TRAP).
    """

    def __init__(self, *, tokens: Tokens, notebook: Notebook, targets: TargetCache) -> None:
        self._tokens = tokens
        self._notebook = notebook
        self._targets = targets

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether a request was one of these, and has been answered."""
        if scope["type"] == "http" and scope["method"] in _SAFE_METHODS:
            path: str = scope["path"]
            if path.startswith("/o/") and path.endswith(".gif"):
                await self._pixel(path[3:-4], scope, send)
                return True
            if path.startswith("/c/"):
                return await self._click(path[3:], scope, receive, send)
        return False

    async def _pixel(self, token: str, scope: Scope, send: Send) -> None:
        """The same pixel whatever the token."""
        target = read_token(self._tokens.opens, token)
        if target is not None:
            await self._note(EventKind.OPEN, target, None, scope)
        await send(_PIXEL_START)
        await send(_PIXEL_BODY)

    async def _click(self, address: str, scope: Scope, receive: Receive, send: Send) -> bool:
        """Whether the reader was answered. Where a link leads is never taken from its address."""
        token, number = address[:TOKEN_LENGTH], _number(address[TOKEN_LENGTH:])
        target = read_token(self._tokens.clicks, token) if number is not None else None
        if target is None or number is None:
            return False
        if number == 0:
            await self._note(EventKind.TRAP, target, 0, scope)
            return False
        try:
            location = await self._targets.find(target.mailing_id, number)
        except NewsletterError:
            await unavailable()(scope, receive, send)
            return True
        if location is None:
            return False
        await self._note(EventKind.CLICK, target, number, scope)
        await send(
            {
                "type": "http.response.start",
                "status": 302,
                "headers": [(b"location", location), *_REDIRECT_FIELDS],
            }
        )
        await send(_NO_BODY)
        return True

    def _note(self, kind: EventKind, target: Target, link_number: int | None, scope: Scope) -> asyncio.Future[bool]:
        agent = b""
        for name, value in scope["headers"]:
            if name == b"user-agent":
                agent = value
        client = scope["client"]
        ip = client[0] if client else ""
        mailing_id = target.mailing_id
        noted = entry(kind, mailing_id, target.delivery_id, link_number, agent.decode("latin-1"), ip, scope["method"])
        return self._notebook.note(mailing_id, noted)


def other_click(request: Request) -> Response:
    """What is no link: the one that no person sees, which says so to whoever came by it, and bad ones."""
    token, number = request.path_params["token"], request.path_params["number"]
    if number == "0" and read_token(state_of(request).tokens.clicks, token):
        return notice(request, "hidden_link", status=200)
    return bad_link(request)


def _number(text: str) -> int | None:
    """The number in `/N`."""
    digits = text[1:]
    if text[:1] == "/" and digits.isascii() and digits.isdecimal() and len(digits) <= _LONGEST_NUMBER:
        return int(digits)
    return None


def healthz(request: Request) -> Response:
    """`GET /healthz/track`: 200 while clicks are answered, whatever becomes of SQL; the events lost here."""
    return PlainTextResponse(f"ok\nevents lost: {state_of(request).notebook.losses.lost.total()}\n")


routes = [
    Route("/healthz/track", healthz),
    Route("/o/{token}.gif", gone),
    Route("/c/{token}/{number:path}", other_click),
]
