"""`newsletter db`: the tables."""

from __future__ import annotations

import typer

from newsletter.cli.database import connect
from newsletter.cli.output import Json, print_json, say
from newsletter.config import load_settings
from newsletter.models import schema

app = typer.Typer(help="Make the database ready.", no_args_is_help=True)


@app.command("upgrade", epilog="Example: newsletter db upgrade")
def upgrade(as_json: Json = False) -> None:
    """Bring the database's tables to what this version expects."""
    with connect(load_settings()) as database:
        place = database.place
        before, after = schema.upgrade(database)
    if as_json:
        print_json({"database": place, "before": before, "after": after})
    elif before == after:
        say(f"{place} is up to date ({after}).")
    else:
        say(f"{place} went from {before or 'nothing'} to {after}.")
