"""What came of an import, for people and for programs."""

from __future__ import annotations

from newsletter.audience.digests import WISH
from newsletter.audience.files.source import Source
from newsletter.audience.report import Report
from newsletter.cli.output import say

_SHOWN = (("refused", "mend"), ("duplicates", "leave aside"), ("warnings", "look at"))


def print_source(source: Source) -> None:
    """How the file was read, so that a wrong guess is seen."""
    for table in source.tables:
        preset = f", as {table.columns.preset} writes it" if table.columns.preset else ""
        say(f"{table.name}: {table.form}{preset}")
        say(f"  {'; '.join(str(column) for column in table.columns.columns)}")
    for words in source.left_out:
        say(f"left out: {words}")


def print_report(report: Report, *, dry_run: bool = False) -> None:
    """Samples of the rows to look at, then the counts."""
    for outcome, heading in _SHOWN:
        samples = report.samples.get(outcome, [])
        total = sum(report.warnings.values()) if outcome == "warnings" else getattr(report, outcome)
        for sample in samples:
            say(f"  line {sample.line}: {sample.words}" + (" (a warning)" if outcome == "warnings" else ""))
        if total > len(samples):
            say(f"  … and {total - len(samples):,} more to {heading}")
    would = "would be " if dry_run else ""
    say(
        f"{report.rows:,} rows: {report.added:,} {would}added, {report.updated:,} {would}updated, "
        f"{report.unchanged:,} unchanged, {report.suppressed:,} {would}suppressed, "
        f"{report.kept_unsubscribed:,} stay unsubscribed, {report.kept_suppressed:,} stay suppressed, "
        f"{report.duplicates:,} duplicates, {report.refused:,} refused"
    )
    if report.erased:
        say(f"{report.erased:,} more were {WISH}: they do not come back by an import")
    if report.conflicting:
        say(f"{report.conflicting:,} differed from what is known of them")


def facts_of(number: int | None, report: Report, source: Source, *, dry_run: bool) -> dict[str, object]:
    """All of it, for JSON."""
    tables = [
        {
            "name": table.name,
            "form": table.form,
            "preset": table.columns.preset,
            "columns": [
                {"header": column.header, "holds": column.field or f"attribute {column.attribute}"}
                for column in table.columns.columns
            ],
        }
        for table in source.tables
    ]
    return {
        "import": number,
        "dry_run": dry_run,
        **report.facts(),
        "tables": tables,
        "left_out": list(source.left_out),
    }
