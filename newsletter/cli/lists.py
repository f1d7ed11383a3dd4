"""`newsletter list`: who reads, list by list."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from newsletter.audience.lists import Manner, add_list, edit_list, get_list, summaries
from newsletter.cli.database import open_database
from newsletter.cli.output import Json, print_json, print_table, say
from newsletter.clock import utc_now
from newsletter.config import load_settings
from newsletter.issues.publications import get_publication
from newsletter.models import List, OptIn
from newsletter.textfile import read_utf8

app = typer.Typer(help="Lists of subscribers.", no_args_is_help=True)

Public = Annotated[bool | None, typer.Option("--public/--private", help="Whether readers may join it by themselves.")]
HowToJoin = Annotated[
    OptIn | None, typer.Option("--opt-in", help="Whether signing up is enough, or must be confirmed by mail.")
]
Description = Annotated[str | None, typer.Option(help="What readers are told of it, in a sentence or two.")]
Welcome = Annotated[
    Path | None, typer.Option(help="A Markdown file: what whoever joins is told in place of our own words.")
]


@app.command("add", epilog='Example: newsletter list add friday --name "Friday letter" --public')
def add(
    slug: Annotated[str, typer.Argument(help="Short name: lower-case letters, digits, hyphens.")],
    name: Annotated[str, typer.Option(help="The name readers see; the short name when left out.")] = "",
    publication: Annotated[str | None, typer.Option(help="Its publication, where there are several.")] = None,
    public: Public = None,
    opt_in: HowToJoin = None,
    description: Description = None,
    welcome: Welcome = None,
) -> None:
    """Add a list: private, and to be confirmed by mail, unless told else."""
    manner = Manner(None, public, opt_in, description, _text(welcome))
    settings = load_settings()
    with open_database(settings) as database, database.write() as session:
        owner = get_publication(session, publication)
        added = add_list(session, owner, slug, name, utc_now(), manner)
        say(f"List “{added.slug}” of {owner.name}. {_told(added, settings.base_url)}")


@app.command("edit", epilog="Example: newsletter list edit friday --public --opt-in double --welcome welcome.md")
def edit(
    slug: Annotated[str, typer.Argument(help="The list.")],
    name: Annotated[str | None, typer.Option(help="The name readers see.")] = None,
    public: Public = None,
    opt_in: HowToJoin = None,
    description: Description = None,
    welcome: Welcome = None,
) -> None:
    """Change how a list meets its readers; what is not named stays as it is."""
    manner = Manner(name, public, opt_in, description, _text(welcome))
    settings = load_settings()
    with open_database(settings) as database, database.write() as session:
        mailing_list = get_list(session, slug)
        edit_list(session, mailing_list, manner)
        say(f"List “{mailing_list.slug}”. {_told(mailing_list, settings.base_url)}")


def _text(path: Path | None) -> str | None:
    return None if path is None else read_utf8(path)


def _told(mailing_list: List, base_url: str) -> str:
    if not mailing_list.is_public:
        return "It is private: nobody joins it by themselves."
    how = "confirm by mail" if mailing_list.opt_in is OptIn.DOUBLE else "are on it at once"
    return f"Readers join it at {base_url}/subscribe/{mailing_list.slug} and {how}."


@app.command("ls", epilog="Example: newsletter list ls --json")
def ls(as_json: Json = False) -> None:
    """List the lists with their subscribers."""
    with open_database(load_settings()) as database, database.read() as session:
        found = [asdict(summary) for summary in summaries(session)]
    if as_json:
        print_json(found)
        return
    columns = ("list", "name", "publication", "public", "opt-in", "active", "pending", "unsubscribed")
    print_table(columns, [tuple(_plain(value) for value in row.values()) for row in found])


def _plain(value: object) -> object:
    return ("no", "yes")[value] if isinstance(value, bool) else value
