"""A mailing's progress, drawn live from the ledger."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from newsletter.cli.output import console, errors
from newsletter.db import Database, moment
from newsletter.models import DeliveryState, MailingStatus
from newsletter.sending.obstacles import obstacles
from newsletter.smtp_accounts import Account
from newsletter.stats.progress import Progress, progress

POLL_SECONDS = 0.5
STALLED_SECONDS = 20.0
# Looking at a large ledger must not become a load: it takes at most this share of the time.
LOOKING_SHARE = 0.1
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
    with Bar(*columns, console=errors) as bar:
        task = bar.add_task("Sending", total=None, hint="")
        done, moved_at = -1, time.monotonic()
        while True:
            found = _look(database, mailing_id)
            if found.settled != done:
                done, moved_at = found.settled, time.monotonic()
            stalled = time.monotonic() - moved_at > STALLED_SECONDS and found.status is MailingStatus.SENDING
            hint = "nothing moves: is a worker running? (newsletter up)" if stalled else ""
            if found.status is MailingStatus.PAUSED:
                hint = f"paused: see `newsletter mailing show {mailing_id}`"
            bar.update(task, completed=found.settled, total=found.audience, hint=hint)
            if found.status in FINISHED:
                return


def draw_mailing(database: Database, accounts: Sequence[Account], mailing_id: int) -> None:
    """Draw states, rate, time left, domains and whatever it waits for, until it is finished or Ctrl-C."""
    with Live(console=console, auto_refresh=False) as live:
        while True:
            found = _look(database, mailing_id)
            with database.read() as session:
                waits = obstacles(session, accounts, mailing_id, moment(session))
            live.update(_drawn(mailing_id, found, waits), refresh=True)
            if found.status in FINISHED:
                return


def _look(database: Database, mailing_id: int) -> Progress:
    began = time.monotonic()
    with database.read() as session:
        found = progress(session, mailing_id, moment(session))
    if found.status not in FINISHED:
        time.sleep(max(POLL_SECONDS, (time.monotonic() - began) / LOOKING_SHARE))
    return found


def _drawn(mailing_id: int, found: Progress, waits: Sequence[str]) -> RenderableType:
    audience = found.audience or 0
    pace = f"{found.rate:,.0f} messages a second, {found.left} left" if found.rate else "no rate measured yet"
    if found.status in FINISHED:
        pace = "finished"
    states = Table(box=None, pad_edge=False, show_header=False)
    for state in DeliveryState:
        if state in found.states:
            states.add_row(state.value, f"{found.states[state]:,}")
    domains = Table("domain", "audience", "sent", "to send", "deferred", "failed", box=None, pad_edge=False)
    for row in found.domains:
        domains.add_row(
            row.domain, *(f"{count:,}" for count in (row.audience, row.sent, row.open, row.deferred, row.failed))
        )
    return Group(
        Text(f"Mailing {mailing_id} is {found.status.value}: {found.settled:,} of {audience:,}, {pace}"),
        ProgressBar(total=audience or 1, completed=found.settled, width=60),
        states,
        Text(),
        domains,
        *(Text(f"waits for: {what}", style="yellow") for what in waits),
    )
