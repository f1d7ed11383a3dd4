"""`newsletter publication`: who writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from zoneinfo import available_timezones

import typer

from newsletter.cli.database import open_database
from newsletter.cli.output import Json, print_json, print_table, say
from newsletter.clock import utc_now
from newsletter.config import load_settings
from newsletter.errors import InputError
from newsletter.issues.publications import NewPublication, add_publication, all_publications, get_publication
from newsletter.languages import language_tag
from newsletter.mail.addresses import normalise
from newsletter.models import Tracking

TrackingMode = Annotated[
    Tracking,
    typer.Option(help="What is kept of what readers do who chose nothing: nothing, counts, or who did what."),
]

app = typer.Typer(help="Who writes: name, addresses, language.", no_args_is_help=True)

ADD_EXAMPLE = (
    'Example: newsletter publication add weekly --name "The Weekly" --from editor@example.org --language fr '
    '--timezone Europe/Brussels --postal-address "1 Main Street, 1000 Brussels"'
)


@app.command("add", epilog=ADD_EXAMPLE)
def add(
    slug: Annotated[str, typer.Argument(help="Short name: lower-case letters, digits, hyphens.")],
    name: Annotated[str, typer.Option(help="The name readers see as the sender.")],
    from_email: Annotated[str, typer.Option("--from", help="The address mail is sent from.")],
    reply_to: Annotated[str | None, typer.Option(help="Where replies go, when not to --from.")] = None,
    language: Annotated[str, typer.Option(help="Language tag, such as fr or pt-BR.")] = "en",
    timezone: Annotated[str, typer.Option(help="IANA zone that --at times are meant in.")] = "UTC",
    postal_address: Annotated[str, typer.Option(help="Postal address, shown under each issue.")] = "",
    tracking: TrackingMode = Tracking.AGGREGATE,
) -> None:
    """Add a publication."""
    if timezone not in available_timezones():
        raise InputError(f"--timezone: “{timezone}” is not an IANA zone such as Europe/Brussels")
    new = NewPublication(
        slug=slug,
        name=name,
        from_email=_read("--from", normalise, from_email),
        reply_to=_read("--reply-to", normalise, reply_to) if reply_to else None,
        language=_read("--language", language_tag, language),
        timezone=timezone,
        postal_address=postal_address,
        tracking=tracking,
    )
    with open_database(load_settings()) as database, database.write() as session:
        publication = add_publication(session, new, utc_now())
        say(f"Publication “{publication.slug}”: {publication.name} <{publication.from_email}>")


def _read(option: str, read: Callable[[str], str], said: str) -> str:
    try:
        return read(said)
    except InputError as error:
        raise InputError(f"{option}: {error}") from None


@app.command("edit", epilog="Example: newsletter publication edit weekly --tracking off")
def edit(slug: Annotated[str, typer.Argument(help="Its short name.")], tracking: TrackingMode) -> None:
    """Change a publication. Messages that leave from now on are tracked as it says, for who chose nothing else."""
    with open_database(load_settings()) as database, database.write() as session:
        get_publication(session, slug).tracking = tracking
    say(f"Publication “{slug}”: tracking is {tracking.value}")


@app.command("ls", epilog="Example: newsletter publication ls --json")
def ls(as_json: Json = False) -> None:
    """List the publications."""
    with open_database(load_settings()) as database, database.read() as session:
        publications = all_publications(session)
    columns = ("slug", "name", "from_email", "reply_to", "language", "timezone", "tracking")
    rows = [tuple(getattr(publication, column) for column in columns) for publication in publications]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(columns, rows)
