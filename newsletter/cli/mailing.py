"""`newsletter mailing`: what is being sent, and what was."""

from __future__ import annotations

import typer

from newsletter.cli.database import open_database
from newsletter.cli.output import Json, MailingNumber, print_json, print_table
from newsletter.config import load_settings
from newsletter.models import DeliveryState
from newsletter.stats.report import Report, all_mailings, report

app = typer.Typer(help="Mailings: one issue to one list at one time.", no_args_is_help=True)


@app.command("ls", epilog="Example: newsletter mailing ls --json")
def ls(as_json: Json = False) -> None:
    """List the mailings, the latest first."""
    with open_database(load_settings()) as database, database.read() as session:
        reports = [report(session, mailing_id) for mailing_id in all_mailings(session)]
    if as_json:
        print_json([found.to_json() for found in reports])
        return
    print_table(
        ("mailing", "subject", "list", "status", "due", "audience", "delivered"),
        [(r.mailing_id, r.subject, r.list_slug, r.status.value, r.due_at, r.audience, r.delivered) for r in reports],
    )


@app.command("show", epilog="Example: newsletter mailing show 1")
def show(mailing_id: MailingNumber, as_json: Json = False) -> None:
    """Show where a mailing stands: its recipients by state."""
    with open_database(load_settings()) as database, database.read() as session:
        found = report(session, mailing_id)
    if as_json:
        print_json(found.to_json())
    else:
        print_table(("mailing", str(found.mailing_id)), _rows(found))


def _rows(found: Report) -> list[tuple[str, object]]:
    states = [(state.value, found.states[state]) for state in DeliveryState if state in found.states]
    return [
        ("subject", found.subject),
        ("list", found.list_slug),
        ("status", found.status.value),
        ("due", found.due_at),
        ("began", found.started_at),
        ("finished", found.finished_at),
        ("audience", found.audience),
        *states,
    ]
