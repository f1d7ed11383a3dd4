"""The web application: tracking, what readers do by themselves, pictures; with a demo's mailbox, its pages too."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from newsletter.config import Settings
from newsletter.errors import NewsletterError, NotFoundError
from newsletter.resources import TEMPLATES
from newsletter.web import confirm, demo, media, preferences, subscribe, thanks, track, unsubscribe, view, webhooks
from newsletter.web.pages import gone, unavailable
from newsletter.web.security import SecurityHeaders
from newsletter.web.state import State, state_of
from newsletter.web.track import Track


def make_app(settings: Settings, outbox: Path | None = None) -> Starlette:
    """The application; with `outbox`, the folder of a catch-all SMTP server, `/demo/` shows what was caught."""
    state = State.of(settings, outbox)
    routes: list[BaseRoute] = [
        *track.routes,
        *unsubscribe.routes,
        *view.routes,
        *subscribe.routes,
        *confirm.routes,
        *preferences.routes,
        *media.routes,
        *thanks.routes,
        *webhooks.routes,
        Route("/healthz", healthz),
        Mount("/static", StaticFiles(directory=TEMPLATES / "web" / "static")),
    ]
    if outbox is not None:
        routes += demo.routes

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # What is loaded by now stays: whoever looks for garbage need not look at it again and again.
        gc.freeze()
        state.notebook.open()
        yield
        await state.close()

    app = _Web(
        Track(tokens=state.tokens, notebook=state.notebook, targets=state.targets),
        routes=routes,
        lifespan=lifespan,
        middleware=[Middleware(SecurityHeaders)],
        exception_handlers={
            404: gone,
            NotFoundError: gone,
            NewsletterError: _unavailable,
            ClientDisconnect: _to_nobody,
        },
    )
    # Else whatever names itself in the Host field is where strangers are sent.
    app.router.redirect_slashes = False
    app.state.newsletter = state
    return app


class _Web(Starlette):
    """Opens and clicks go past everything that other requests go through."""

    def __init__(self, track: Track, **options: Any) -> None:
        super().__init__(**options)
        self._track = track

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not await self._track.answer(scope, receive, send):
            await super().__call__(scope, receive, send)


def healthz(request: Request) -> Response:
    """200 while the database answers."""
    state = state_of(request)
    with state.database.read() as session:
        session.connection().exec_driver_sql("SELECT 1")
    return PlainTextResponse("ok\n")


def _to_nobody(_request: Request, _error: Exception) -> Response:
    """Whoever hung up amid a form."""
    return Response(status_code=400)


def _unavailable(_request: Request, _error: Exception) -> Response:
    return unavailable()
