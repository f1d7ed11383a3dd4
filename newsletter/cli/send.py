"""`newsletter send`: an issue to a list, now or later."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.orm import Session

from newsletter import queue
from newsletter.audience.lists import count_active, get_list
from newsletter.cli.database import open_database
from newsletter.cli.output import Json, print_json, say, warn
from newsletter.cli.progress import watch_mailing
from newsletter.clock import utc_now
from newsletter.config import Settings, load_settings
from newsletter.errors import InputError, UnavailableError
from newsletter.mail.transport import SmtpTransport
from newsletter.models import Publication
from newsletter.queue import Queue
from newsletter.sending.submit import submit
from newsletter.stats.report import report

EXAMPLE = "Example: newsletter send issue.md --list friday --at 2026-03-13T08:00 --wait"
CONNECT_SECONDS = 10
SLACK = timedelta(minutes=1)


def send(
    issue: Annotated[Path, typer.Argument(help="An issue in Markdown with front matter.")],
    list_slug: Annotated[str, typer.Option("--list", help="Who gets it.")],
    at: Annotated[
        str | None, typer.Option(help="When, as an ISO time; in the publication's zone unless it names one.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Watch until the last recipient has an outcome.")] = False,
    as_json: Json = False,
) -> None:
    """Send an issue to a list."""
    settings = load_settings()
    with open_database(settings) as database, closing(Queue(settings)) as tasks:
        if at is None:
            _check_servers(settings, tasks)
        with database.write() as session:
            now = utc_now()
            due_at = _due_at(session, list_slug, at, now)
            submitted = submit(session, issue, list_slug, base_url=settings.base_url, due_at=due_at, now=now)
            mailing = submitted.mailing
            recipients = count_active(session, mailing.list_id)
        if due_at <= now:
            _start(tasks, mailing.id)
        for warning in submitted.warnings:
            warn(warning)
        if not as_json:
            when = "now" if due_at <= now else f"at {due_at:%Y-%m-%d %H:%M} UTC"
            say(f"Mailing {mailing.id} “{mailing.subject}” goes to {recipients:,} subscribers {when}.")
        if wait:
            watch_mailing(database, mailing.id)
        if as_json:
            with database.read() as session:
                print_json(report(session, mailing.id).to_json())


def _check_servers(settings: Settings, tasks: Queue) -> None:
    """Sending now needs the broker and the SMTP server now; better said before anything is scheduled."""
    tasks.waiting()
    try:
        with SmtpTransport(settings.smtp, CONNECT_SECONDS) as transport:
            transport.connect()
    except UnavailableError as error:
        raise UnavailableError(f"{error}; start it, or mend NEWSLETTER_SMTP_URL") from None


def _start(tasks: Queue, mailing_id: int) -> None:
    """Tell the workers. The mailing is kept by now: where the broker does not answer, the sweep finds it later."""
    try:
        tasks.put(queue.PLAN, mailing_id)
    except UnavailableError as error:
        warn(f"{error}; mailing {mailing_id} is scheduled and begins once a worker runs")


def _due_at(session: Session, list_slug: str, at: str | None, now: datetime) -> datetime:
    if at is None:
        return now
    try:
        due_at = datetime.fromisoformat(at)
    except ValueError:
        raise InputError(f"--at: “{at}” is not a time such as 2026-03-13T08:00 or 2026-03-13T08:00+01:00") from None
    if due_at.tzinfo is None:
        publication = session.get_one(Publication, get_list(session, list_slug).publication_id)
        due_at = due_at.replace(tzinfo=ZoneInfo(publication.timezone))
    if due_at < now - SLACK:
        raise InputError(f"--at: {due_at.isoformat()} is past; leave --at out to send now")
    return due_at.astimezone(UTC)
