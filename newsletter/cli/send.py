"""`newsletter send`: an issue to a list, now or later."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import func, select

from newsletter import queue
from newsletter.audience.lists import get_list
from newsletter.cli.approve import approve
from newsletter.cli.database import open_database
from newsletter.cli.manner import Times, manner_of, told, zone_warnings
from newsletter.cli.output import Json, print_json, say, warn
from newsletter.cli.progress import outcomes, watch_mailing
from newsletter.cli.rehearse import rehearse
from newsletter.config import Settings, load_settings
from newsletter.db import Database, moment
from newsletter.errors import ConfigError, InputError, UnavailableError
from newsletter.mail.addresses import domain_of
from newsletter.mail.transport import SmtpTransport
from newsletter.models import MailingStatus, Publication
from newsletter.queue import Queue
from newsletter.sending.plan import audience_of
from newsletter.sending.submit import submit
from newsletter.smtp_accounts import Account, accounts_for
from newsletter.stats.report import report

EXAMPLE = "Example: newsletter send issue.md --list friday --at 2026-03-13T08:00 --wait"
CONNECT_SECONDS = 10
NOT_ALL_WAS_SENT = 1


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
    said = Times(at, hold)
    manner = manner_of(local_time, window, canary)
    if dry_run and (at is not None or hold is not None or wait):
        raise InputError("--dry-run sends nothing, at no time: leave --at, --hold and --wait out")
    settings = load_settings()
    with open_database(settings) as database, closing(Queue(settings)) as tasks:
        publication = _publication(database, list_slug)
        zone = ZoneInfo(publication.timezone)
        if dry_run:
            approve(database, settings, issue, list_slug, accept or (), quietly=as_json)
            rehearse(database, settings, _accounts(settings, publication), issue, list_slug, as_json=as_json)
            return
        if said == Times(None, None):
            _check_servers(settings, _accounts(settings, publication), tasks)
        approve(database, settings, issue, list_slug, accept or (), quietly=as_json)
        with database.write() as session:
            now = moment(session)
            due_at = said.due_at(zone, now)
            submitted = submit(
                session, issue, list_slug, base_url=settings.base_url, due_at=due_at, now=now, manner=manner
            )
            mailing, warnings = submitted.mailing, submitted.warnings
            mailing_list = get_list(session, list_slug)
            if mailing.local_time:
                warnings += zone_warnings(session, mailing_list, mailing.local_time, zone)
            audience = audience_of(mailing_list.id, now).subquery()
            recipients = session.scalar(select(func.count()).select_from(audience)) or 0
        if due_at <= now:
            _start(tasks, mailing.id)
        for warning in warnings:
            warn(warning)
        if not as_json:
            for line in told(mailing, recipients, zone, now):
                say(line)
            if hold is not None:
                say(f"Nothing leaves before that: `newsletter mailing cancel {mailing.id}` takes it back.")
        status = _wait(database, mailing.id, quietly=as_json) if wait else None
        if as_json:
            with database.read() as session:
                print_json(report(session, mailing.id).to_json())
    if status is MailingStatus.CANCELLED:
        raise typer.Exit(NOT_ALL_WAS_SENT)


def _publication(database: Database, list_slug: str) -> Publication:
    with database.read() as session:
        return session.get_one(Publication, get_list(session, list_slug).publication_id)


def _accounts(settings: Settings, publication: Publication) -> tuple[Account, ...]:
    domain = domain_of(publication.from_email)
    accounts = accounts_for(settings.accounts, domain)
    if not accounts:
        raise ConfigError(f"no SMTP account is for mail from {domain}: add one to the settings (docs/settings.md)")
    return accounts


def _check_servers(settings: Settings, accounts: tuple[Account, ...], tasks: Queue) -> None:
    """Sending now needs the broker and an SMTP server now; better said before anything is scheduled."""
    tasks.waiting()
    troubles = []
    for account in accounts:
        try:
            with SmtpTransport(account.smtp, CONNECT_SECONDS) as transport:
                transport.connect()
                return
        except UnavailableError as error:
            troubles.append(str(error))
    setting = "[[smtp_accounts]]" if settings.smtp_accounts else "NEWSLETTER_SMTP_URL"
    raise UnavailableError(f"{'; '.join(troubles)}; start it, or mend {setting}")


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
