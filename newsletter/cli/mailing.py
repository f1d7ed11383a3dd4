"""`newsletter mailing`: what is being sent, and what was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from newsletter.cli import control, links, prune, receipt
from newsletter.cli.database import open_database
from newsletter.cli.output import Json, MailingNumber, print_json, print_table, say
from newsletter.cli.progress import draw_mailing, state_rows
from newsletter.config import load_settings
from newsletter.db import moment
from newsletter.errors import InputError
from newsletter.models import DeliveryState, Mailing
from newsletter.sending.obstacles import obstacles
from newsletter.sending.receipt import make_receipt
from newsletter.stats.summary import Summary, all_mailings, summarise

app = typer.Typer(help="Mailings: one issue to one list at one time.", no_args_is_help=True)


@app.command("ls", epilog="Example: newsletter mailing ls --json")
def ls(as_json: Json = False) -> None:
    """List the mailings, the latest first."""
    with open_database(load_settings()) as database, database.read() as session:
        found = [summarise(session, mailing_id) for mailing_id in all_mailings(session)]
    if as_json:
        print_json([one.to_json() for one in found])
        return
    print_table(
        ("mailing", "subject", "list", "status", "due", "audience", "delivered", "segment"),
        [
            (
                r.mailing_id,
                r.subject,
                r.list_slug,
                r.status.value,
                r.due_at,
                r.audience,
                r.delivered,
                r.segment,
            )
            for r in found
        ],
    )


@app.command("show", epilog="Example: newsletter mailing show 1 --watch")
def show(
    mailing_id: MailingNumber,
    watch: Annotated[bool, typer.Option("--watch", help="Draw it live until it is finished; Ctrl-C stops.")] = False,
    uncertain: Annotated[
        bool, typer.Option("--uncertain", help="List the uncertain recipients instead, an address a line.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show where a mailing stands: its recipients by state, why they were refused, and what it waits for."""
    if watch + uncertain + as_json > 1:
        raise InputError("--watch, --uncertain and --json do not go together: leave all but one out")
    settings = load_settings()
    with open_database(settings) as database:
        if watch:
            draw_mailing(database, settings.accounts, mailing_id)
            return
        with database.read() as session:
            found = summarise(session, mailing_id)
            mailing = session.get_one(Mailing, mailing_id)
            books = make_receipt(session, mailing_id, found.states) if found.audience is not None else None
            waits = obstacles(session, settings.accounts, mailing_id, moment(session))
    refusals = books.refusals if books else {}
    manner = {
        "local_time": mailing.local_time,
        "window": mailing.window,
        "canary": mailing.canary,
    }
    if uncertain:
        for email in books.uncertain if books else ():
            print(email)
    elif as_json:
        print_json({**found.to_json(), **manner, "refusals": refusals, "waits_for": waits})
    else:
        print_table(("mailing", str(mailing_id)), _rows(found, manner, refusals, waits))
        if DeliveryState.UNCERTAIN in found.states:
            listed = f"`newsletter mailing show {mailing_id} --uncertain` lists them"
            say(f"The uncertain may have the message or not; {listed}.")


def _rows(
    found: Summary, manner: Mapping[str, object], refusals: Mapping[str, int], waits: Sequence[str]
) -> list[tuple[str, object]]:
    return [
        ("subject", found.subject),
        ("list", found.list_slug),
        *([("segment", found.segment)] if found.segment else []),
        ("status", found.status.value),
        ("due", found.due_at),
        *((name.replace("_", " "), value) for name, value in manner.items() if value is not None),
        ("began", found.started_at),
        ("finished", found.finished_at),
        ("audience", found.audience),
        *state_rows(found.states, refusals),
        *(("waits for", what) for what in waits),
    ]


app.command("pause", epilog="Example: newsletter mailing pause 1")(control.pause)
app.command("resume", epilog="Example: newsletter mailing resume 1")(control.resume)
app.command("cancel", epilog="Example: newsletter mailing cancel 1")(control.cancel)
app.command("retry", epilog="Example: newsletter mailing retry 1")(control.retry)
app.command("resend", epilog="Example: newsletter mailing resend 1 ada@example.org")(control.resend)
app.command("links", epilog="Example: newsletter mailing links 1")(links.links)
app.command("correct-link", epilog="Example: newsletter mailing correct-link 1 3 https://example.org/right")(
    links.correct
)
app.command("receipt", epilog="Example: newsletter mailing receipt 1")(receipt.receipt)
app.command("verify", epilog="Example: newsletter mailing verify 1 --against receipt.json")(receipt.verify)
app.command("prune", epilog="Example: newsletter mailing prune --older-than 365")(prune.prune)
