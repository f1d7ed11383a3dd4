"""Where a poll's answer without a link of its own leads: the click is what counts, the page only says thanks."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.web.pages import language_of, page


def thanks(request: Request) -> Response:
    """`GET /thanks?answer=N`: the same page whatever the answer."""
    return page("thanks", language=language_of(request))


routes = [Route("/thanks", thanks)]
