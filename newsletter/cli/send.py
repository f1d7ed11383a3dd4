"""`newsletter send`: an issue to a list, now or later."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy.orm import Session

from newsletter import queue
from newsletter.audience.lists import count_active, get_list
from newsletter.cli.approve import approve
from newsletter.cli.database import open_database
from newsletter.cli.output import Json, print_json, say, warn
from newsletter.cli.progress import watch_mailing
from newsletter.cli.rehearse import rehearse
from newsletter.clock import utc_now
from newsletter.config import Settings, load_settings
from newsletter.errors import UnavailableError
from newsletter.mail.transport import SmtpTransport
from newsletter.models import Publication
from newsletter.queue import Queue
from newsletter.sending import times
from newsletter.sending.schedule import Manner
from newsletter.sending.submit import submit
from newsletter.stats.report import report

EXAMPLE = "Example: newsletter send issue.md --list friday --at 2026-03-13T08:00 --wait"
CONNECT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Times:
    """What was said of the time, as it was typed."""

    at: str | None
    hold: str | None

    def due_at(self, zone: ZoneInfo, now: datetime) -> datetime:
        at = times.due_at(self.at, zone, now) if self.at is not None else now
        hold = times.duration(self.hold, "--hold") if self.hold is not None else timedelta()
        return max(at, now + hold)


def send(
    issue: Annotated[Path, typer.Argument(help="An issue in Markdown with front matter.")],
    list_slug: Annotated[str, typer.Option("--list", help="Who gets it.")],
    at: Annotated[
        str | None,
        typer.Option(
            help="When, as an ISO time; in the publication's zone unless it has an offset or a zone after it."
        ),
    ] = None,
    hold: Annotated[
        str | None, typer.Option(help="Let nothing leave for so long (10m): time to change your mind.")
    ] = None,
    canary: Annotated[
        int | None, typer.Option(min=1, help="Send to so many first, and pause where too many are refused.")
    ] = None,
    local_time: Annotated[
        str | None, typer.Option(help="Send at this hour (08:00) of each subscriber's own time zone.")
    ] = None,
    window: Annotated[
        str | None, typer.Option(help="Send only within these hours: mon-fri 08:00-20:00, in the publication's zone.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Build every message and send none; report what would fail.")
    ] = False,
    accept: Annotated[
        list[str] | None, typer.Option("--accept", help="Send in spite of the warnings of this code (repeatable).")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Watch until the last recipient has an outcome.")] = False,
    as_json: Json = False,
) -> None:
    """Send an issue to a list."""
    settings = load_settings()
    manner = Manner(
        times.time_of_day(local_time, "--local-time") if local_time is not None else None,
        times.parse_window(window) if window is not None else None,
        canary,
    )
    with open_database(settings) as database, closing(Queue(settings)) as tasks:
        if dry_run:
            approve(database, settings, issue, list_slug, accept or (), quietly=as_json)
            rehearse(database, settings, issue, list_slug, as_json=as_json)
            return
        said = Times(at, hold)
        if said == Times(None, None):
            _check_servers(settings, tasks)
        approve(database, settings, issue, list_slug, accept or (), quietly=as_json)
        with database.write() as session:
            now = utc_now()
            due_at = said.due_at(_zone(session, list_slug), now)
            submitted = submit(
                session, issue, list_slug, base_url=settings.base_url, due_at=due_at, now=now, manner=manner
            )
            mailing = submitted.mailing
            recipients = count_active(session, mailing.list_id)
        if due_at <= now:
            _start(tasks, mailing.id)
        for warning in submitted.warnings:
            warn(warning)
        if not as_json:
            when = "now" if due_at <= now else f"at {due_at:%Y-%m-%d %H:%M} UTC"
            say(f"Mailing {mailing.id} “{mailing.subject}” goes to {recipients:,} subscribers {when}.")
            if hold is not None:
                say(f"Until then `newsletter mailing cancel {mailing.id}` takes it back.")
        if wait:
            watch_mailing(database, mailing.id)
        if as_json:
            with database.read() as session:
                print_json(report(session, mailing.id).to_json())


def _check_servers(settings: Settings, tasks: Queue) -> None:
    """Sending now needs the broker and an SMTP server now; better said before anything is scheduled."""
    tasks.waiting()
    troubles = []
    for account in settings.accounts:
        try:
            with SmtpTransport(account.smtp, CONNECT_SECONDS) as transport:
                transport.connect()
                return
        except UnavailableError as error:
            troubles.append(str(error))
    raise UnavailableError(f"{'; '.join(troubles)}; start it, or mend the settings (docs/settings.md)")


def _start(tasks: Queue, mailing_id: int) -> None:
    """Tell the workers. The mailing is kept by now: where the broker does not answer, the sweep finds it later."""
    try:
        tasks.put(queue.PLAN, mailing_id)
    except UnavailableError as error:
        warn(f"{error}; mailing {mailing_id} is scheduled and begins once a worker runs")


def _zone(session: Session, list_slug: str) -> ZoneInfo:
    return ZoneInfo(session.get_one(Publication, get_list(session, list_slug).publication_id).timezone)
