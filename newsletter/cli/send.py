"""`newsletter send`: an issue to a list, now or later."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from newsletter import queue
from newsletter.cli.approve import approve
from newsletter.cli.database import open_database
from newsletter.cli.destination import chosen_list, chosen_segment, chosen_times
from newsletter.cli.manner import Times, manner_of, told, zone_warnings
from newsletter.cli.output import Json, print_json, say, warn
from newsletter.cli.progress import outcomes, watch_mailing
from newsletter.cli.rehearse import nobody, rehearse
from newsletter.cli.servers import accounts_of, check_servers
from newsletter.config import load_settings
from newsletter.db import Database, moment
from newsletter.errors import InputError, UnavailableError
from newsletter.models import MailingStatus
from newsletter.queue import Queue
from newsletter.rendering.issue_file import read_front
from newsletter.sending.plan import count_people, people_of
from newsletter.sending.submit import prepare, submit
from newsletter.stats.summary import summarise

EXAMPLE = "Example: newsletter send issue.md --list friday --at 2026-03-13T08:00 --wait"
NOT_ALL_WAS_SENT = 1


def send(
    issue: Annotated[Path, typer.Argument(help="An issue in Markdown with front matter.")],
    list_slug: Annotated[
        str | None, typer.Option("--list", help="Who gets it; without it, who the issue's front matter names.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="When, as an ISO time; in the publication's zone unless it has an offset or a zone after it."
        ),
    ] = None,
    at_once: Annotated[
        bool, typer.Option("--now", help="Send it now, whatever its front matter has for a schedule.")
    ] = False,
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
    segment: Annotated[
        str | None,
        typer.Option(metavar="EXPR|SLUG", help="To this segment of the list only, else to the front matter’s."),
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
    front = read_front(issue)
    said = chosen_times(issue, front, at=at, at_once=at_once, hold=hold)
    manner = manner_of(local_time, window, canary)
    if dry_run and (at is not None or at_once or hold is not None or wait):
        raise InputError("--dry-run sends nothing, at no time: leave --at, --now, --hold and --wait out")
    settings = load_settings()
    with open_database(settings) as database, closing(Queue(settings)) as tasks:
        with database.read() as session:
            slug = chosen_list(session, issue, front, list_slug)
            expression = chosen_segment(session, issue, front, segment)
            prepared = prepare(session, issue, slug, base_url=settings.base_url, segment=expression)
        accounts = accounts_of(settings, prepared.publication)
        if said == Times(None, None) and not dry_run:
            check_servers(settings, accounts, tasks)
        approve(database, settings, prepared, accept or (), quietly=as_json)
        if dry_run:
            rehearse(database, settings, accounts, prepared, as_json=as_json)
            return
        zone = ZoneInfo(prepared.publication.timezone)
        with database.write() as session:
            now = moment(session)
            due_at = said.due_at(zone, now)
            submitted = submit(session, prepared, due_at=due_at, now=now, manner=manner)
            mailing, warnings = submitted.mailing, submitted.warnings
            people = people_of(session, mailing.list_id, expression, now)
            if mailing.local_time:
                warnings += zone_warnings(session, people, slug, mailing.local_time, zone)
            recipients = count_people(session, people)
            if expression and not recipients and due_at <= now:
                raise InputError(nobody(prepared))
        if due_at <= now:
            _start(tasks, mailing.id)
        for warning in warnings:
            warn(warning)
        if not as_json:
            for line in told(mailing, slug, recipients, zone, now):
                say(line)
            if hold is not None:
                say(f"Nothing leaves before that: `newsletter mailing cancel {mailing.id}` takes it back.")
        status = _wait(database, mailing.id, quietly=as_json) if wait else None
        if as_json:
            with database.read() as session:
                print_json(summarise(session, mailing.id).to_json())
    if status is MailingStatus.CANCELLED:
        raise typer.Exit(NOT_ALL_WAS_SENT)


def _start(tasks: Queue, mailing_id: int) -> None:
    """Tell the workers. The mailing is kept by now: where the broker does not answer, the sweep finds it later."""
    try:
        tasks.put(queue.PLAN, mailing_id)
    except UnavailableError as error:
        warn(f"{error}; mailing {mailing_id} is scheduled and begins once a worker runs")


def _wait(database: Database, mailing_id: int, *, quietly: bool) -> MailingStatus:
    try:
        found = watch_mailing(database, mailing_id)
    except KeyboardInterrupt:
        warn(f"mailing {mailing_id} goes on; `newsletter mailing show {mailing_id} --watch` shows how")
        raise
    if not quietly:
        say(f"Mailing {mailing_id} is {found.status.value}: {outcomes(found.states)}.")
    return found.status
