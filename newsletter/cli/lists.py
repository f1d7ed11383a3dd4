"""`newsletter list`: who reads, list by list."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from newsletter.audience.lists import add_list, summaries
from newsletter.cli.database import open_database
from newsletter.cli.output import Json, print_json, print_table, say
from newsletter.clock import utc_now
from newsletter.config import load_settings
from newsletter.issues.publications import get_publication

app = typer.Typer(help="Lists of subscribers.", no_args_is_help=True)


@app.command("add", epilog='Example: newsletter list add friday --name "Friday letter"')
def add(
    slug: Annotated[str, typer.Argument(help="Short name: lower-case letters, digits, hyphens.")],
    name: Annotated[str, typer.Option(help="The name readers see; the short name when left out.")] = "",
    publication: Annotated[str | None, typer.Option(help="Its publication, where there are several.")] = None,
) -> None:
    """Add a list."""
    with open_database(load_settings()) as database, database.write() as session:
        owner = get_publication(session, publication)
        added = add_list(session, owner, slug, name, utc_now())
        say(f"List “{added.slug}” of {owner.name}.")


@app.command("ls", epilog="Example: newsletter list ls --json")
def ls(as_json: Json = False) -> None:
    """List the lists with their subscribers."""
    with open_database(load_settings()) as database, database.read() as session:
        found = [asdict(summary) for summary in summaries(session)]
    if as_json:
        print_json(found)
    else:
        print_table(("list", "name", "publication", "active", "unsubscribed"), [tuple(row.values()) for row in found])
