"""`newsletter segment`: conditions over a list's subscribers, saved, counted, looked at."""

from __future__ import annotations

from typing import Annotated

import typer

from newsletter.audience.lists import get_list
from newsletter.audience.segments.saved import add_segment, all_segments, expression_of, get_segment
from newsletter.cli.database import open_database
from newsletter.cli.output import Json, print_json, print_table, say
from newsletter.cli.progress import counted
from newsletter.clock import utc_now
from newsletter.config import load_settings
from newsletter.db import moment
from newsletter.models import Subscriber
from newsletter.sending.plan import count_people, people_of

SAMPLE = 10
MOST_SAMPLES = 1000

app = typer.Typer(help="Segments: conditions over a list's subscribers (docs/segments.md).", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="EXPR|SLUG", help="An expression, or a saved segment's short name.")]
ListSlug = Annotated[str, typer.Option("--list", help="Of whose subscribers.")]


@app.command(
    "add",
    epilog="""Example: newsletter segment add warm 'opened any of last 5 and not tag "presse"' --name "Warm" """,
)
def add(
    slug: Annotated[str, typer.Argument(help="Short name: lower-case letters, digits, hyphens.")],
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="Who is in it.")],
    name: Annotated[str, typer.Option(help="A name for people; the short name when left out.")] = "",
) -> None:
    """Save a segment."""
    with open_database(load_settings()) as database, database.write() as session:
        added = add_segment(session, slug, expression, name, utc_now())
        say(f"Segment “{added.slug}”: {added.expression}")


@app.command("ls", epilog="Example: newsletter segment ls --json")
def ls(as_json: Json = False) -> None:
    """List the saved segments."""
    with open_database(load_settings()) as database, database.read() as session:
        found = [
            {"slug": segment.slug, "name": segment.name, "expression": segment.expression}
            for segment in all_segments(session)
        ]
    if as_json:
        print_json(found)
    else:
        print_table(("segment", "name", "expression"), [tuple(row.values()) for row in found])


@app.command("rm", epilog="Example: newsletter segment rm warm")
def rm(slug: Annotated[str, typer.Argument(help="Its short name.")]) -> None:
    """Forget a saved segment; mailings that were narrowed by it keep their expression."""
    with open_database(load_settings()) as database, database.write() as session:
        session.delete(get_segment(session, slug))
        say(f"Segment “{slug}” is forgotten.")


@app.command("count", epilog="""Example: newsletter segment count 'city = "Liège"' --list friday""")
def count(which: Which, list_slug: ListSlug, as_json: Json = False) -> None:
    """Count whom of a list a mailing to this segment would go to now."""
    with open_database(load_settings()) as database, database.read() as session:
        list_id, now, expression = get_list(session, list_slug).id, moment(session), expression_of(session, which)
        number = count_people(session, people_of(session, list_id, expression, now))
    if as_json:
        print_json({"list": list_slug, "expression": expression, "count": number})
    else:
        say(f"{counted(number, 'subscriber')} of “{list_slug}”: {expression}")


@app.command("sample", epilog="Example: newsletter segment sample warm --list friday --limit 5")
def sample(
    which: Which,
    list_slug: ListSlug,
    limit: Annotated[int, typer.Option(help="How many.", min=1, max=MOST_SAMPLES)] = SAMPLE,
    as_json: Json = False,
) -> None:
    """Show some of those a mailing to this segment would go to now, those known longest first."""
    columns = (
        Subscriber.email,
        Subscriber.first_name,
        Subscriber.last_name,
        Subscriber.language,
        Subscriber.timezone,
    )
    with open_database(load_settings()) as database, database.read() as session:
        list_id, now, expression = get_list(session, list_slug).id, moment(session), expression_of(session, which)
        people = people_of(session, list_id, expression, now)
        shown = people.with_only_columns(*columns).order_by(Subscriber.id).limit(limit)
        found = [row._asdict() for row in session.execute(shown)]
    if as_json:
        print_json(found)
    else:
        names = tuple(column.key.replace("_", " ") for column in columns)
        print_table(names, [tuple(row.values()) for row in found])
