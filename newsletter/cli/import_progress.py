"""An import with a bar on standard error: what is being done, how fast, and until when."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from newsletter.audience.digests import Digest
from newsletter.audience.files.source import Source
from newsletter.audience.imports import discard, ignore, preview, run, stage
from newsletter.audience.jobs import Options
from newsletter.audience.lists import get_list
from newsletter.audience.report import Report
from newsletter.audience.staging import READING, OnFault, OnProgress
from newsletter.cli.output import errors
from newsletter.clock import utc_now
from newsletter.db import Database


def import_with_progress(
    database: Database,
    source: Source,
    list_slug: str,
    options: Options,
    digest: Digest,
    *,
    dry_run: bool = False,
    on_fault: OnFault = ignore,
) -> tuple[int | None, Report]:
    """Import a file, or only say what an import would do; the import's number, None for a dry run."""
    with database.read() as session:
        list_id = get_list(session, list_slug).id
    with watched() as on_progress:
        number = stage(database.write, list_id, source, options, digest, utc_now(), on_progress, on_fault)
        if not dry_run:
            return number, run(database.write, number, utc_now(), on_progress)
        try:
            return None, preview(database.write, number, on_progress)
        finally:
            discard(database.write, number)


@contextmanager
def watched() -> Iterator[OnProgress]:
    """Draws whatever it is told, a bar for each thing that is done; nothing where nobody looks at a terminal."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("ETA"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
        bars = {}
        began = {}

        def on_progress(doing: str, done: int, total: int) -> None:
            if doing not in bars:
                bars[doing], began[doing] = progress.add_task(doing, total=total, rate=""), time.monotonic()
            rate = done / max(time.monotonic() - began[doing], 0.001)
            words = f"{rate / 1e6:.1f} MB/s" if doing == READING else f"{rate:,.0f} rows/s"
            progress.update(bars[doing], completed=done, total=total, rate=words)

        yield on_progress
