"""The pictures of issues."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.models import Asset
from newsletter.web.pages import gone
from newsletter.web.state import state_of

# The address is the digest of the bytes, so what it leads to never changes.
FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


def picture(request: Request) -> Response:
    """`GET /m/DIGEST.EXT`: a picture's bytes."""
    with state_of(request).database.read() as session:
        asset = session.get(Asset, request.path_params["digest"])
    if asset is None:
        return gone(request)
    return Response(asset.content, media_type=asset.media_type, headers=FOREVER)


routes = [Route("/m/{digest}.{extension}", picture)]
