"""`newsletter demo`: the whole main job on this machine, with made-up people."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from newsletter.audience.digests import address_digest
from newsletter.audience.files.source import open_source
from newsletter.audience.jobs import Options
from newsletter.cli.database import check_folder, connect
from newsletter.cli.import_progress import import_with_progress
from newsletter.cli.import_report import print_report
from newsletter.cli.output import say
from newsletter.cli.progress import watch_mailing
from newsletter.cli.stats import print_stats
from newsletter.cli.up import until_stopped
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.demo import run
from newsletter.demo.people import write_people
from newsletter.demo.readers import play
from newsletter.embedded.stack import running
from newsletter.mail.outbox import Outbox
from newsletter.resources import SAMPLE_ISSUE

EXAMPLE = "Example: newsletter demo --no-serve"


def demo(
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve the caught messages at the end.")] = True,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="The port the pages take.")] = None,
) -> None:
    """Import 1,000 made-up people, send them the sample issue, play their reactions, account for all of it.

    Everything runs on this machine, in the folder .demo; the SMTP server keeps every message and delivers none.
    """
    check_folder(run.FOLDER)
    settings = run.prepare(port)
    outbox = Outbox(settings.data_dir / "outbox")
    say("Starting SQLite, Valkey, a Celery worker with beat, the web application and a catch-all SMTP server ...")
    with running(settings, outbox.directory, before_start=lambda: run.begin(settings)) as supervisor:
        with connect(settings) as database:
            _main_job(settings, database, outbox)
        if serve:
            address = f"http://{settings.web_host}:{settings.web_port}"
            say(f"\nThe caught messages: {address}/demo/messages")
            say(f"The report:          {address}/demo/reports")
            say("Stop with Ctrl-C.")
            until_stopped(supervisor, settings)
    say("Stopped; the data stays in .demo until the next demo.")


def _main_job(settings: Settings, database: Database, outbox: Outbox) -> None:
    run.found(database)
    people = settings.data_dir / "people.csv"
    write_people(people)
    say(f"\n1. Importing {people.relative_to(run.FOLDER.resolve().parent)}")
    options = Options(consent="made up for the demo")
    _, report = import_with_progress(
        database, open_source(people), run.LIST, options, address_digest(settings.secret())
    )
    print_report(report)

    say(f"\n2. Sending {SAMPLE_ISSUE.name} to the list “{run.LIST}”")
    began = time.monotonic()
    mailing_id = run.start_mailing(database, settings)
    watch_mailing(database, mailing_id)
    seconds = time.monotonic() - began
    say(f"{outbox.count():,} messages caught in {seconds:.1f} s")

    say("\n3. Playing readers over HTTP: scanners at once, people some seconds later")
    numbers = outbox.numbers()
    played = play([outbox.get(number).raw for number in numbers], settings)
    say(f"{played.opened} opened, {played.clicked} clicked, {played.unsubscribed} unsubscribed with one click")
    say(
        f"{played.fetched} more were fetched by a proxy; scanners looked at {played.scanned}, and followed every link"
    )
    run.wait_for_events(database, mailing_id, played)

    say("\n4. What came of it")
    print_stats(database, mailing_id)
