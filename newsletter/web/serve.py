"""Runs the web application in this process: `python -m newsletter.web.serve [OUTBOX]`."""

from __future__ import annotations

import sys
from pathlib import Path

import uvicorn

from newsletter.config import load_settings
from newsletter.errors import NewsletterError
from newsletter.web.app import make_app


def serve(outbox: Path | None = None) -> None:
    """Serve until told to stop. Access is not logged: addresses hold readers' tokens."""
    settings = load_settings()
    uvicorn.run(
        make_app(settings, outbox),
        host=settings.web_host,
        port=settings.web_port,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )


if __name__ == "__main__":
    try:
        serve(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    except NewsletterError as error:
        sys.exit(f"newsletter: {error}")
