"""Who asks: from where, and with what in the form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from newsletter.audience.consents import Hand

MAX_FORM_BYTES = 16_384
MAX_FIELDS = 20

Form = Mapping[str, str]


def with_form(handle: Callable[[Request, Form], Response]) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that is given the fields of the request's form; `handle` runs in a thread of its own.

    A body of another kind, or beyond all measure, has no fields.
    """

    async def endpoint(request: Request) -> Response:
        form = _fields(await body_of(request, MAX_FORM_BYTES) or b"")
        return await run_in_threadpool(handle, request, form)

    return endpoint


def ip_of(request: Request) -> str | None:
    """The visitor's IP address. Behind a proxy it is the one that the proxy tells, where uvicorn trusts it."""
    try:
        return str(ip_address(request.client.host)) if request.client else None
    except ValueError:
        return None


def hand_of(request: Request) -> Hand:
    """The visitor, as the consent trail names them."""
    return Hand(ip=ip_of(request))


def neighbourhood_of(request: Request) -> str:
    """What counts as one visitor: an IPv4 address, or the network that one line has of IPv6 (RFC 6177)."""
    ip = ip_of(request)
    if ip is None or not isinstance(ip_address(ip), IPv6Address):
        return ip or "unknown"
    return str(ip_network(f"{ip}/64", strict=False))


def is_from_elsewhere(request: Request) -> bool:
    """Whether another site's page sends this form, which browsers tell (Fetch Metadata, Sec-Fetch-Site)."""
    return request.headers.get("sec-fetch-site") == "cross-site"


async def body_of(request: Request, most: int) -> bytes | None:
    """The request's body; None for one of more than `most` bytes, which is read no further."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            return None
    return bytes(body)


def _fields(body: bytes) -> Form:
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        return {}
    # No database keeps a NUL, and nobody types one.
    return {name: value.replace("\x00", "") for name, value in pairs}
