"""A mailing's progress, drawn live from the ledger."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text
from sqlalchemy.orm import Session

from newsletter.cli.output import console, errors
from newsletter.db import Database, moment
from newsletter.models import DeliveryState, MailingStatus
from newsletter.sending.obstacles import obstacles
from newsletter.sending.receipt import make_receipt
from newsletter.smtp_accounts import Account
from newsletter.stats.progress import DomainProgress, Progress, progress

POLL_SECONDS = 0.5
STALLED_SECONDS = 20.0
# Looking at a large ledger must not become a load: it takes at most this share of the time.
LOOKING_SHARE = 0.1
BAR_WIDTH = 40

Seen = TypeVar("Seen")


def counted(number: int, noun: str) -> str:
    """A number of things in words: 1 recipient, 3,000 recipients."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def outcomes(states: Mapping[DeliveryState, int]) -> str:
    """How many recipients are in each state, in words."""
    counts = [f"{states[state]:,} {state.value}" for state in DeliveryState if state in states]
    return ", ".join(counts) or "nobody was sent anything"


def state_rows(states: Mapping[DeliveryState, int], refusals: Mapping[str, int]) -> list[tuple[str, int]]:
    """A row for each state that somebody is in; below the rejected, one for each kind of refusal."""
    rows: list[tuple[str, int]] = []
    for state in DeliveryState:
        if state in states:
            rows.append((state.value, states[state]))
        if state is DeliveryState.REJECTED:
            rows += [(f"  {kind}", count) for kind, count in refusals.items()]
    return rows


def watch_mailing(database: Database, mailing_id: int) -> Progress:
    """Draw a bar on standard error until the mailing is finished; how it stands then. Ctrl-C stops watching alone."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(BAR_WIDTH),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=errors) as bar:
        task = bar.add_task("Sending", total=None)
        done, moved_at, told = -1, time.monotonic(), ""
        for found in _looks(database, lambda session: progress(session, mailing_id, moment(session))):
            if found.settled != done:
                done, moved_at = found.settled, time.monotonic()
            hint = _hint(mailing_id, found, time.monotonic() - moved_at)
            if hint and hint != told:
                bar.console.print(hint, style="yellow", markup=False, highlight=False, soft_wrap=True)
            told = hint
            bar.update(task, completed=found.settled, total=found.audience)
            if found.is_over:
                break
    return found


def draw_mailing(database: Database, accounts: Sequence[Account], mailing_id: int) -> None:
    """Draw states, rate, time left, domains and whatever it waits for, until it is finished or Ctrl-C."""

    def look(session: Session) -> tuple[Progress, Mapping[str, int], Sequence[str]]:
        now = moment(session)
        found = progress(session, mailing_id, now)
        refusals = make_receipt(session, mailing_id, found.states).refusals if found.audience is not None else {}
        return found, refusals, obstacles(session, accounts, mailing_id, now)

    with Live(console=console, auto_refresh=False) as live:
        for found, refusals, waits in _looks(database, look):
            live.update(_drawn(mailing_id, found, refusals, waits), refresh=True)
            if found.is_over:
                break
    if not console.is_terminal:
        console.print()


def _looks(database: Database, look: Callable[[Session], Seen]) -> Iterator[Seen]:
    """What there is to see, for as long as anybody asks."""
    while True:
        began = time.monotonic()
        with database.read() as session:
            seen = look(session)
        seconds = time.monotonic() - began
        yield seen
        time.sleep(max(POLL_SECONDS, seconds / LOOKING_SHARE))


def _hint(mailing_id: int, found: Progress, still_for: float) -> str:
    """What whoever sees a bar that does not move wants to know."""
    says_why = f"`newsletter mailing show {mailing_id}` says why"
    match found.status:
        case MailingStatus.PAUSED:
            return f"paused: {says_why}"
        case MailingStatus.SCHEDULED | MailingStatus.SENDING if still_for > STALLED_SECONDS:
            return f"nothing moves: {says_why}"
    return ""


def _drawn(mailing_id: int, found: Progress, refusals: Mapping[str, int], waits: Sequence[str]) -> RenderableType:
    lines: list[RenderableType] = [Text(f"Mailing {mailing_id} is {found.status.value}")]
    if found.audience is not None:
        lines += [_bar(found, found.audience), Text(), _states(found.states, refusals)]
    if found.domains:
        lines += [Text(), _domains(found.domains)]
    if waits:
        lines += [Text(), *(Text(f"waits for {what}", style="yellow") for what in waits)]
    return Group(*lines)


def _bar(found: Progress, audience: int) -> Table:
    pace = f", {found.rate:,.1f} a second, {found.left} left" if found.rate else ""
    row = Table.grid(padding=(0, 1))
    row.add_row(
        ProgressBar(total=audience or 1, completed=found.settled, width=BAR_WIDTH),
        f"{found.settled:,} of {audience:,} have an outcome{pace}",
    )
    return row


def _states(states: Mapping[DeliveryState, int], refusals: Mapping[str, int]) -> Table:
    table = Table(Column("state"), Column("recipients", justify="right"), box=None, pad_edge=False)
    for name, count in state_rows(states, refusals):
        table.add_row(name, f"{count:,}")
    return table


def _domains(domains: Sequence[DomainProgress]) -> Table:
    counts = ("audience", "sent", "to send", "deferred", "failed")
    table = Table("domain", *(Column(name, justify="right") for name in counts), box=None, pad_edge=False)
    for row in domains:
        numbers = (row.audience, row.sent, row.open, row.deferred, row.failed)
        table.add_row(row.domain or "forgotten", *(f"{number:,}" for number in numbers))
    return table
