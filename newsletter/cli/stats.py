"""`newsletter stats`: what came of a mailing."""

from __future__ import annotations

from newsletter.cli.database import open_database
from newsletter.cli.output import Json, MailingNumber, print_json, print_table, say
from newsletter.config import load_settings
from newsletter.db import Database
from newsletter.sending.receipt import Receipt, make_receipt
from newsletter.stats.report import Report, report

EXAMPLE = "Example: newsletter stats show 1 --json"


def stats(mailing_id: MailingNumber, as_json: Json = False) -> None:
    """Say what came of a mailing: delivered, opened, clicked, unsubscribed, and its receipt."""
    with open_database(load_settings()) as database:
        if not as_json:
            print_stats(database, mailing_id)
            return
        with database.read() as session:
            facts = report(session, mailing_id)
    print_json(facts.to_json())


def print_stats(database: Database, mailing_id: int) -> None:
    """The report and the receipt, for people."""
    with database.read() as session:
        facts = report(session, mailing_id)
        if facts.audience is None:
            say(f"Mailing {mailing_id} “{facts.subject}” has not begun; it is due {facts.due_at:%Y-%m-%d %H:%M} UTC.")
            return
        receipt = make_receipt(session, mailing_id)
    say(f"\nMailing {mailing_id}: {facts.subject}")
    print_table(("", "people", "share"), _people(facts))
    say("\nLinks")
    print_table(("", "people", "clicks"), [(link.url, link.people, link.clicks) for link in facts.links])
    _print_receipt(receipt)


def _people(facts: Report) -> list[tuple[str, int, str]]:
    def share(part: int, whole: int | None) -> str:
        return f"{part / whole:.1%}" if whole else "–"

    return [
        ("delivered", facts.delivered, share(facts.delivered, facts.audience)),
        ("opened", facts.opened, share(facts.opened, facts.delivered)),
        ("clicked", facts.clicked, share(facts.clicked, facts.delivered)),
        ("unsubscribed", facts.unsubscribed, share(facts.unsubscribed, facts.delivered)),
    ]


def _print_receipt(receipt: Receipt) -> None:
    outcomes = " + ".join(f"{count:,} {state.value}" for state, count in receipt.outcomes.items())
    if receipt.is_closed and receipt.adds_up:
        say(f"\nReceipt: audience {receipt.audience:,} = {outcomes}. Closed; everyone is accounted for.")
    else:
        say(f"\nReceipt: audience {receipt.audience:,}; so far {outcomes}. Not closed yet.")
