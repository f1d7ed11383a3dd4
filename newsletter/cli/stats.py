"""`newsletter stats`: what came of a mailing, and how mail arrives at each domain."""

from __future__ import annotations

from typing import Annotated

import typer

from newsletter.cli.database import open_database
from newsletter.cli.domains import show_domains
from newsletter.cli.losses import lost_events, say_lost_events
from newsletter.cli.mailing_report import print_report
from newsletter.cli.output import Json, print_json, say
from newsletter.config import load_settings
from newsletter.db import Database
from newsletter.errors import InputError
from newsletter.sending.receipt import Receipt, make_receipt
from newsletter.stats.report import report

EXAMPLE = "Example: newsletter stats show 1 --json"
DAYS = 30


def stats(
    mailing_id: Annotated[
        int | None, typer.Argument(metavar="MAILING", help="The mailing's number.", min=1, max=2**63 - 1)
    ] = None,
    domains: Annotated[bool, typer.Option("--domains", help="How mail arrives at each domain instead.")] = False,
    days: Annotated[int | None, typer.Option(help="With --domains: of so many days; 30.", min=1, max=3650)] = None,
    as_json: Json = False,
) -> None:
    """Say what came of a mailing: delivered, opened, clicked, left, bounced, complained, and its receipt.

    With --domains say how the mailings of some days arrived at each domain, and warn of what goes wrong there.
    """
    if domains is (mailing_id is not None):
        raise InputError("give a mailing's number (`newsletter mailing ls` lists them) or --domains, one of both")
    if days is not None and not domains:
        raise InputError("--days goes with --domains: a mailing's report is of all its days")
    settings = load_settings()
    with open_database(settings) as database:
        if mailing_id is None:
            show_domains(database, days or DAYS, as_json=as_json)
            return
        if not as_json:
            print_stats(database, mailing_id)
            say_lost_events(settings, mailing_id)
            return
        with database.read() as session:
            facts = report(session, mailing_id)
    print_json({**facts.to_json(), "events_lost": lost_events(settings, mailing_id)})


def print_stats(database: Database, mailing_id: int) -> None:
    """The report and the receipt, for people."""
    with database.read() as session:
        facts = report(session, mailing_id)
        mailing = facts.mailing
        if mailing.audience is None:
            due = f"it is due {mailing.due_at:%Y-%m-%d %H:%M} UTC"
            say(f"Mailing {mailing_id} “{mailing.subject}” has not begun; {due}.")
            return
        receipt = make_receipt(session, mailing_id, mailing.states)
    say(f"\nMailing {mailing_id}: {mailing.subject}")
    print_report(facts)
    _print_receipt(receipt)


def _print_receipt(receipt: Receipt) -> None:
    outcomes = " + ".join(f"{count:,} {state.value}" for state, count in receipt.outcomes.items())
    if receipt.is_closed and receipt.adds_up:
        say(f"\nReceipt: audience {receipt.audience:,} = {outcomes}. Closed; everyone is accounted for.")
    else:
        say(f"\nReceipt: audience {receipt.audience:,}; so far {outcomes}. Not closed yet.")
