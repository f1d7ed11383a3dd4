"""`newsletter mailing receipt` and `verify`: who got what, and the proof that nobody touched the books since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from newsletter.cli.database import open_database
from newsletter.cli.output import MailingNumber, print_json, say
from newsletter.cli.progress import counted
from newsletter.config import load_settings
from newsletter.errors import ConflictError, InputError
from newsletter.sending.receipt import Receipt, make_receipt
from newsletter.sending.verify import verify as check
from newsletter.stats.summary import find_mailing

COMPARED = ("mailing", "audience", "audience_digest", "outcomes", "outcomes_digest")


def receipt(mailing_id: MailingNumber) -> None:
    """Print a mailing's receipt as JSON: its audience, the outcomes, the uncertain by address, the digests.

    Kept in a file elsewhere, it is what `newsletter mailing verify` compares the ledger with.
    """
    with open_database(load_settings()) as database, database.read() as session:
        print_json(_receipt_of(session, mailing_id).to_json())


def verify(
    mailing_id: MailingNumber,
    against: Annotated[
        Path | None, typer.Option(help="A receipt kept since the mailing closed, to compare with as well.")
    ] = None,
) -> None:
    """Count and hash the ledger again; the first row that does not fit the receipt is named."""
    with open_database(load_settings()) as database, database.read() as session:
        found = _receipt_of(session, mailing_id)
        kept = _read(against, mailing_id) if against else None
        check(session, found)
    if kept:
        _compare(kept, found.to_json(), f"{against}")
    receipts = f"its receipt and {against}" if against else "its receipt"
    ledger = f"the ledger, with {counted(found.audience, 'outcome')},"
    say(f"Mailing {mailing_id}: {ledger} fits {receipts} ({found.outcomes_digest}).")


def _receipt_of(session: Session, mailing_id: int) -> Receipt:
    find_mailing(session, mailing_id)
    return make_receipt(session, mailing_id)


def _compare(kept: dict[str, Any], facts: dict[str, Any], path: str) -> None:
    for key in COMPARED:
        if kept[key] != facts[key]:
            raise ConflictError(
                f"{path}: {key} is {json.dumps(kept[key])} in it and {json.dumps(facts[key])} in the ledger: one of "
                "them was changed, or it is from before a retry or resend"
            )


def _read(path: Path, mailing_id: int) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({(error.strerror or str(error)).lower()})") from None
    except (ValueError, RecursionError):
        kept = None
    if not isinstance(kept, dict) or not kept.keys() >= set(COMPARED):
        raise InputError(f"{path}: is not a receipt; `newsletter mailing receipt {mailing_id}` makes one")
    if kept["mailing"] != mailing_id:
        raise InputError(f"{path}: is the receipt of mailing {kept['mailing']}, not of mailing {mailing_id}")
    if kept["outcomes_digest"] is None:
        raise InputError(f"{path}: is from before the mailing closed and proves nothing: make it again")
    return kept
