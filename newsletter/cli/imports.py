"""`newsletter import`: subscribers from a file, and back out again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from newsletter.audience.digests import address_digest
from newsletter.audience.files.source import ReadAs, open_source
from newsletter.audience.imports import resume
from newsletter.audience.jobs import Options, all_imports
from newsletter.audience.profile import Conflicts
from newsletter.audience.report import Report, report_of
from newsletter.audience.undo import undo
from newsletter.cli.database import open_database
from newsletter.cli.import_progress import import_with_progress, watched
from newsletter.cli.import_rejects import Rejects
from newsletter.cli.import_report import facts_of, print_report, print_source
from newsletter.cli.output import Json, print_json, print_table, say
from newsletter.clock import utc_now
from newsletter.config import load_settings
from newsletter.errors import InputError

FILE = "file"
ImportNumber = Annotated[int, typer.Argument(help="The import's number.", min=1, max=2**63 - 1)]


class FileOrCommand(TyperGroup):
    """`newsletter import people.csv …` needs no word for what one imports: a file."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [FILE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=FileOrCommand,
    help="Put subscribers on a list: newsletter import people.csv --list friday",
    no_args_is_help=True,
)


@app.command(
    FILE, epilog='Example: newsletter import file people.csv --list friday --consent "signed up at the fair"'
)
def import_(
    file: Annotated[Path, typer.Argument(help="A CSV, TSV or XLSX file with a header, or a ZIP of these.")],
    list_slug: Annotated[str, typer.Option("--list", help="The list they join.")],
    consent: Annotated[str, typer.Option(help="How they agreed to be mailed, where the file does not say it.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, change nothing.")] = False,
    conflicts: Annotated[
        Conflicts, typer.Option(help="Where the file and we differ: keep ours, fill our blanks, or overwrite.")
    ] = Conflicts.OVERWRITE,
    columns: Annotated[
        list[str] | None, typer.Option("--map", help='What a column holds, as in "Courriel=email"; “-” ignores it.')
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help="The system that wrote the file, where that is not seen.")
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="The file's encoding, where the guess is wrong.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="What parts its cells, where the guess is wrong.")] = None,
    quote: Annotated[str | None, typer.Option(help="What encloses its cells: \", ' or none.")] = None,
    rejects: Annotated[Path | None, typer.Option(help="Where to write the rows that did not go in.")] = None,
    as_json: Json = False,
) -> None:
    """Put the people in a file on a list (the word “file” may be left out).

    Bad rows are named by line and reason; the others go in. Whoever left or is suppressed is never brought back.
    """
    read_as = ReadAs(encoding, delimiter, quote, preset, _targets(columns or []))
    options = Options(consent, conflicts, read_as)
    source = open_source(file, read_as)
    with Rejects(rejects, source) as refused:
        settings = load_settings()
        with open_database(settings) as database:
            digest = address_digest(settings.secret())
            number, report = import_with_progress(
                database, source, list_slug, options, digest, dry_run=dry_run, on_fault=refused.add
            )
        refused.write()
    if as_json:
        print_json(facts_of(number, report, source, dry_run=dry_run))
        return
    print_source(source)
    print_report(report, dry_run=dry_run)
    if number is not None:
        say(f"Import {number}; take it back with `newsletter import undo {number}`")


@app.command("resume", epilog="Example: newsletter import resume 7")
def resume_(number: ImportNumber, as_json: Json = False) -> None:
    """Run an import that was stopped to its end."""
    settings = load_settings()
    with open_database(settings) as database, watched() as on_progress:
        report = resume(database.write, number, address_digest(settings.secret()), utc_now(), on_progress)
    _print(number, report, as_json=as_json)


@app.command("undo", epilog="Example: newsletter import undo 7")
def undo_(number: ImportNumber, as_json: Json = False) -> None:
    """Take an import back, stopped or not. Whoever has unsubscribed since then stays unsubscribed."""
    with open_database(load_settings()) as database, watched() as on_progress:
        undone = undo(database.write, number, utc_now(), on_progress)
    if as_json:
        print_json({"import": number, **asdict(undone)})
        return
    say(
        f"Import {number} is undone: {undone.subscriptions:,} taken off the list, {undone.subscribers:,} people "
        f"forgotten, {undone.changes:,} as they were before, {undone.suppressions:,} no longer suppressed; "
        f"{undone.kept_unsubscribed:,} have unsubscribed since and stay so"
    )


@app.command("ls", epilog="Example: newsletter import ls --json")
def ls(as_json: Json = False) -> None:
    """List the imports, the latest first."""
    with open_database(load_settings()) as database, database.read() as session:
        found = [
            {
                "import": one.id,
                "file": Path(one.path).name,
                "state": one.state.value,
                "rows": report_of(one.report).rows,
                "added": one.report["added"],
                "begun": one.created_at,
            }
            for one in all_imports(session)
        ]
    if as_json:
        print_json(found)
    else:
        print_table(("import", "file", "state", "rows", "added", "begun"), [tuple(row.values()) for row in found])


def _print(number: int, report: Report, *, as_json: bool) -> None:
    if as_json:
        print_json({"import": number, **report.facts()})
    else:
        print_report(report)


def _targets(said: list[str]) -> dict[str, str]:
    targets = {}
    for words in said:
        name, sign, target = words.rpartition("=")
        if not (name.strip() and sign and target.strip()):
            raise InputError(f'--map: “{words[:60]}” says nothing: write it as "Courriel=email"')
        targets[name.strip()] = target.strip()
    return targets
