"""`newsletter mailing prune`: room for new mailings, without losing what became of old ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from newsletter.cli.database import open_database
from newsletter.cli.output import say
from newsletter.config import load_settings
from newsletter.db import Database, moment
from newsletter.sending.prune import finished_before, keep_receipt, prune_batch

LEAST_DAYS = 30


def prune(
    older_than: Annotated[
        int, typer.Option("--older-than", min=LEAST_DAYS, metavar="DAYS", help="Mailings finished so many days ago.")
    ],
) -> None:
    """Take the recipients' rows of old mailings out of the ledger.

    Their receipts, reports and unsubscribe links stay; who got what is no longer known by address.
    """
    with open_database(load_settings()) as database:
        with database.read() as session:
            old = finished_before(session, moment(session) - timedelta(days=older_than))
        for mailing_id in old:
            with database.write() as session:
                keep_receipt(session, mailing_id, moment(session))
            say(f"Mailing {mailing_id}: {_prune(database, mailing_id):,} rows pruned, the receipt kept.")
    if not old:
        say(f"No mailing was finished more than {older_than} days ago and is not pruned yet.")


def _prune(database: Database, mailing_id: int) -> int:
    """Batch by batch, so that it may be stopped and begun again at any moment."""
    count = 0
    while True:
        with database.write() as session:
            pruned = prune_batch(session, mailing_id)
        if not pruned:
            return count
        count += pruned
