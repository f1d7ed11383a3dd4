"""A mailing's progress, drawn live from the ledger."""

from __future__ import annotations

import time

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from newsletter.cli.output import errors
from newsletter.db import Database
from newsletter.models import OPEN_STATES, MailingStatus
from newsletter.stats.report import report

POLL_SECONDS = 0.25
STALLED_SECONDS = 20.0
FINISHED = (MailingStatus.SENT, MailingStatus.CANCELLED)


def watch_mailing(database: Database, mailing_id: int) -> None:
    """Draw a bar on standard error until the mailing is finished; Ctrl-C stops the watching alone."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[hint]}", style="yellow"),
    )
    with Progress(*columns, console=errors) as progress:
        bar = progress.add_task("Sending", total=None, hint="")
        done, moved_at = -1, time.monotonic()
        while True:
            with database.read() as session:
                facts = report(session, mailing_id)
            settled = sum(count for state, count in facts.states.items() if state not in OPEN_STATES)
            if settled != done:
                done, moved_at = settled, time.monotonic()
            stalled = time.monotonic() - moved_at > STALLED_SECONDS and facts.status is MailingStatus.SENDING
            hint = "nothing moves: is a worker running? (newsletter up)" if stalled else ""
            progress.update(bar, completed=settled, total=facts.audience, hint=hint)
            if facts.status in FINISHED:
                return
            time.sleep(POLL_SECONDS)
