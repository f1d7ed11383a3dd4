"""`newsletter track`: what readers' mail programs reach, apart from everything else."""

from __future__ import annotations

from typing import Annotated

import typer

from newsletter.cli.output import say
from newsletter.config import load_settings
from newsletter.embedded.stack import check_port
from newsletter.web.serve import serve, serve_in_processes

EXAMPLE = "Example: newsletter track --port 8026 --processes 4"


def track(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port it takes, when not web_port.")] = None,
    processes: Annotated[int, typer.Option(min=1, max=256, help="How many share the port.")] = 1,
) -> None:
    """Answer opens, clicks and unsubscribing until Ctrl-C. Opens and clicks need no database."""
    settings = load_settings(**({"web_port": port} if port else {}))
    settings.secret()
    check_port(settings.web_host, settings.web_port)
    say(f"Readers are answered at http://{settings.web_host}:{settings.web_port}; stop with Ctrl-C.")
    if processes == 1:
        serve(settings)
    else:
        serve_in_processes(settings, processes)
