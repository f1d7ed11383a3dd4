"""`newsletter import`: subscribers from a CSV file."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from newsletter.audience.csvfile import CsvFile, open_csv
from newsletter.audience.imports import ImportReport, run_import
from newsletter.audience.lists import get_list
from newsletter.cli.database import open_database
from newsletter.cli.files import check_writable, write_all
from newsletter.cli.output import Json, errors, print_json, say
from newsletter.clock import utc_now
from newsletter.config import load_settings
from newsletter.db import Database

EXAMPLE = "Example: newsletter import people.csv --list friday --dry-run --rejects rejects.csv"


def import_(
    file: Annotated[Path, typer.Argument(help="A CSV file with a header, in UTF-8.")],
    list_slug: Annotated[str, typer.Option("--list", help="The list they join.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    rejects: Annotated[Path | None, typer.Option(help="Where to write the rows that did not go in.")] = None,
    as_json: Json = False,
) -> None:
    """Put subscribers on a list. Bad rows are named by line and reason; the others go in."""
    csv_file = open_csv(file)
    if rejects is not None:
        check_writable(file, [rejects])
    with open_database(load_settings()) as database:
        report = import_with_progress(database, csv_file, list_slug, dry_run=dry_run)
    if rejects is not None:
        write_rejects(rejects, csv_file, report)
    if as_json:
        print_json(_facts(report, dry_run))
    else:
        print_report(report, dry_run=dry_run)


def import_with_progress(
    database: Database, csv_file: CsvFile, list_slug: str, *, dry_run: bool = False
) -> ImportReport:
    """Import with a bar on standard error; all of it in one transaction, rolled back for a dry run."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with database.write() as session:
        mailing_list = get_list(session, list_slug)
        with Progress(*columns, console=errors, disable=not errors.is_terminal) as progress:
            bar = progress.add_task("Importing", total=csv_file.line_count)
            report = run_import(
                session, mailing_list, csv_file, utc_now(), lambda line: progress.update(bar, completed=line)
            )
        if dry_run:
            session.rollback()
    return report


def print_report(report: ImportReport, *, dry_run: bool = False) -> None:
    """The rows that did not go in, then the counts."""
    for fault in report.faults:
        say(f"  line {fault.line}: {fault.reason}")
    would = "would be " if dry_run else ""
    say(
        f"{report.rows:,} rows: {report.added:,} {would}added, {report.updated:,} {would}updated, "
        f"{report.unchanged:,} unchanged, {report.kept_unsubscribed:,} stay unsubscribed, "
        f"{len(report.faults):,} refused"
    )


def write_rejects(path: Path, csv_file: CsvFile, report: ImportReport) -> None:
    """The refused rows as CSV: line, reason, then the file's own columns."""
    rows = StringIO(newline="")
    writer = csv.writer(rows)
    writer.writerow(("line", "reason", *csv_file.header))
    writer.writerows((fault.line, fault.reason, *fault.cells) for fault in report.faults)
    write_all(Path(csv_file.path), {path: rows.getvalue().encode()})


def _facts(report: ImportReport, dry_run: bool) -> dict[str, object]:
    return {
        "dry_run": dry_run,
        "rows": report.rows,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "kept_unsubscribed": report.kept_unsubscribed,
        "refused": [{"line": fault.line, "reason": fault.reason} for fault in report.faults],
    }
