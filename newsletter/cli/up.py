"""`newsletter up`: everything under one command."""

from __future__ import annotations

import signal
import threading
from typing import Annotated, Any

import typer

from newsletter.cli.database import check_folder
from newsletter.cli.losses import LossWatch
from newsletter.cli.output import say
from newsletter.config import Settings, load_settings
from newsletter.embedded.stack import running
from newsletter.embedded.supervisor import Supervisor

EXAMPLE = "Example: newsletter up --port 8025"
WATCH_SECONDS = 0.1


def up(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port the web application takes.")] = None,
) -> None:
    """Run broker, worker, beat and web together until Ctrl-C."""
    settings = load_settings(**({"web_port": port} if port else {}))
    check_folder(settings.data_dir)
    with running(settings) as supervisor:
        say(f"newsletter is up at http://{settings.web_host}:{settings.web_port} (data in {settings.data_dir})")
        say("Stop with Ctrl-C.")
        until_stopped(supervisor, settings)
        say("Stopping ...")
    say("Stopped.")


def until_stopped(supervisor: Supervisor, settings: Settings) -> None:
    """Keep the processes running, and tell what ends and what is lost, until SIGINT or SIGTERM."""
    losses = LossWatch(settings)
    stopped = threading.Event()

    def stop(_signal: int, _frame: Any) -> None:
        stopped.set()

    before = {name: signal.signal(name, stop) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        while not stopped.wait(WATCH_SECONDS):
            for change in (*supervisor.watch_once(), *losses.news()):
                say(str(change))
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
