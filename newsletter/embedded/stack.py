"""The whole system under one command: broker, worker with beat, web, and a catch-all mailbox for the demo."""

from __future__ import annotations

import http.client
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.embedded import valkey
from newsletter.embedded.lock import hold
from newsletter.embedded.processes import Command, Process
from newsletter.embedded.supervisor import Supervisor
from newsletter.errors import ConflictError, UnavailableError
from newsletter.models.schema import upgrade
from newsletter.settings_sources import PREFIX

READY_SECONDS = 30.0
STOP_SECONDS = 30.0
PAUSE_SECONDS = 0.05


@contextmanager
def running(
    settings: Settings, outbox: Path | None = None, before_start: Callable[[], None] = lambda: None
) -> Iterator[Supervisor]:
    """Everything started and answering; stopped in reverse order on the way out.

    With `outbox`, a folder, an SMTP server on the settings' SMTP address keeps there what it is sent. `before_start`
    is called once the data directory is held and nothing uses it yet. Raises
    ConflictError for a port or a data directory in use, UnavailableError for a part that does not start.
    """
    check_port(settings.web_host, settings.web_port)
    with hold(settings.data_dir):
        before_start()
        database = Database(settings.database)
        upgrade(database)
        database.close()
        settings.secret()
        processes = {command.name: Process(command) for command in _commands(settings, outbox)}
        supervisor = Supervisor(processes.values())
        try:
            if "valkey" in processes:
                processes["valkey"].start()
                valkey.wait_ready(processes["valkey"], settings.broker_socket, READY_SECONDS)
            supervisor.start_all()
            _wait_for_web(processes["web"], settings)
            yield supervisor
        finally:
            supervisor.stop_all(STOP_SECONDS)


def check_port(host: str, port: int) -> None:
    """Raise ConflictError where something listens already."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConflictError(
                f"cannot listen on {host}:{port} ({(error.strerror or str(error)).lower()}): stop what uses it, "
                "or choose another with --port"
            ) from None


def _commands(settings: Settings, outbox: Path | None) -> Iterator[Command]:
    logs = settings.data_dir.resolve() / "log"
    if settings.broker_url is None:
        settings.broker_socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = settings.data_dir.resolve() / "valkey"
        yield valkey.command(folder, settings.broker_socket, logs / "valkey.log")
    if outbox is not None:
        where = (str(outbox), settings.smtp.host, str(settings.smtp.port))
        yield _python("outbox", logs, "newsletter.mail.outbox", *where)
    yield _python("worker", logs, "celery", *_worker_arguments(settings))
    if settings.bounce_listen is not None:
        yield _python("bounces", logs, "newsletter.feedback.listener")
    web = _python("web", logs, "newsletter.web.serve", *([str(outbox)] if outbox else []))
    yield replace(web, env={f"{PREFIX}WEB_PORT": str(settings.web_port)})


def _worker_arguments(settings: Settings) -> tuple[str, ...]:
    schedule = settings.data_dir.resolve() / "beat-schedule"
    return (
        *("-A", "workers", "worker", "--beat", "--schedule", str(schedule), "--loglevel", "INFO"),
        *("--concurrency", str(settings.worker_processes), "--without-gossip", "--without-mingle"),
    )


def _python(name: str, logs: Path, module: str, *arguments: str) -> Command:
    return Command(name, (sys.executable, "-m", module, *arguments), {}, logs / f"{name}.log")


def _wait_for_web(process: Process, settings: Settings) -> None:
    give_up_at = time.monotonic() + READY_SECONDS
    while not _answers(settings):
        if process.poll() is not None or time.monotonic() > give_up_at:
            last_line = "".join(process.tail(1)) or "nothing was logged"
            raise UnavailableError(f"the web application did not start, see {process.command.log}: {last_line}")
        time.sleep(PAUSE_SECONDS)


def _answers(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(settings.web_host, settings.web_port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()
