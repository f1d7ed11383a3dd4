"""`newsletter mailing receipt` and `verify`: who got what, and the proof that nobody touched the books since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from newsletter.cli.database import open_database
from newsletter.cli.output import MailingNumber, print_json, say
from newsletter.config import load_settings
from newsletter.errors import ConflictError, InputError
from newsletter.sending.receipt import make_receipt
from newsletter.sending.verify import verify as check

COMPARED = ("mailing", "audience", "audience_digest", "outcomes", "outcomes_digest")


def receipt(mailing_id: MailingNumber) -> None:
    """Print a mailing's receipt as JSON: its audience, the outcomes, the uncertain by address, the digests."""
    with open_database(load_settings()) as database, database.read() as session:
        print_json(make_receipt(session, mailing_id).to_json())


def verify(
    mailing_id: MailingNumber,
    against: Annotated[
        Path | None, typer.Option(help="A receipt kept since the mailing closed, to compare with as well.")
    ] = None,
) -> None:
    """Count and hash the ledger again; the first row that does not fit the receipt is named."""
    kept = _read(against) if against else {}
    with open_database(load_settings()) as database, database.read() as session:
        found = make_receipt(session, mailing_id)
        check(session, found)
    facts = found.to_json()
    for key in COMPARED if against else ():
        if kept.get(key) != facts[key]:
            raise ConflictError(
                f"{against}: {key} is {json.dumps(kept.get(key))} there, {json.dumps(facts[key])} in the ledger"
            )
    say(f"Mailing {mailing_id}: {found.audience:,} outcomes fit the receipt {found.outcomes_digest}.")


def _read(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({(error.strerror or str(error)).lower()})") from None
    except ValueError:
        kept = None
    if not isinstance(kept, dict) or not kept.keys() >= set(COMPARED):
        raise InputError(f"{path}: is not a receipt; `newsletter mailing receipt ID` makes one")
    return kept
