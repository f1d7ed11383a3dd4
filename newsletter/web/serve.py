"""Runs the web application: `python -m newsletter.web.serve [OUTBOX]`, or several processes on one port."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from newsletter.config import Settings, load_settings
from newsletter.errors import NewsletterError
from newsletter.web.app import make_app
from newsletter.web.protocol import Protocol, allow_many_connections


def serve(settings: Settings, outbox: Path | None = None) -> None:
    """Serve in this process until told to stop."""
    _run(make_app(settings, outbox), settings)


def serve_in_processes(settings: Settings, processes: int) -> None:
    """Serve in so many child processes, which read the settings anew, until told to stop; a dead one is replaced."""
    _run("newsletter.web.serve:make_app_of_process", settings, workers=processes, factory=True)


def make_app_of_process() -> Starlette:
    """The application of a child process."""
    return make_app(load_settings())


def _run(app: Starlette | str, settings: Settings, *, workers: int = 1, factory: bool = False) -> None:
    """Access is not logged: addresses hold readers' tokens."""
    allow_many_connections()
    uvicorn.run(
        app,
        factory=factory,
        workers=workers,
        http=Protocol,
        ws="none",
        host=settings.web_host,
        port=settings.web_port,
        forwarded_allow_ips=settings.trusted_proxies,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    try:
        serve(load_settings(), Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    except NewsletterError as error:
        sys.exit(f"newsletter: {error}")
