"""`newsletter subscriber`: one person, everything about them, and forgetting them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from newsletter.audience.digests import address_digest
from newsletter.audience.erasure import forget
from newsletter.audience.lists import get_list
from newsletter.audience.subscribers import (
    everything_of,
    find_subscribers,
    get_subscriber,
    subscriptions_of,
    suppressions_of,
    tracking_of,
)
from newsletter.audience.timeline import place_of, read_place, timeline
from newsletter.cli.database import open_database
from newsletter.cli.output import Json, print_json, print_table, say
from newsletter.config import load_settings
from newsletter.db import moment
from newsletter.errors import ConflictError
from newsletter.mail.addresses import normalise
from newsletter.models import Tracking

app = typer.Typer(help="One subscriber at a time.", no_args_is_help=True)

Address = Annotated[str, typer.Argument(help="Their address.")]
Limit = Annotated[int, typer.Option(help="How many to show.", min=1, max=10_000)]


_NOT_KEPT = {
    Tracking.AGGREGATE: "Where tracking is aggregate, opens and clicks are counted, and not kept by person.",
    Tracking.OFF: "Where tracking is off, opens and clicks are not noted.",
}


@app.command("ls", epilog="Example: newsletter subscriber ls --list friday --search ada")
def ls(
    list_slug: Annotated[str | None, typer.Option("--list", help="Only those of this list.")] = None,
    search: Annotated[str, typer.Option(help="What their address begins with.")] = "",
    after: Annotated[str, typer.Option(help="Go on behind this address.")] = "",
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """List subscribers in the order of their addresses."""
    with open_database(load_settings()) as database, database.read() as session:
        list_id = get_list(session, list_slug).id if list_slug is not None else None
        found = [asdict(one) for one in find_subscribers(session, search, after, limit, list_id)]
    if as_json:
        print_json(found)
        return
    print_table(("email", "first name", "last name", "status"), [tuple(row.values()) for row in found])
    if len(found) == limit:
        say(f"More: --after {found[-1]['email']}")


@app.command("show", epilog="Example: newsletter subscriber show ada@example.org")
def show(
    email: Address,
    after: Annotated[str | None, typer.Option(help="Go on with the timeline behind this place.")] = None,
    limit: Limit = 50,
    as_json: Json = False,
) -> None:
    """Show who somebody is, and what happened between us and them, the latest first."""
    place = read_place(after) if after is not None else None
    with open_database(load_settings()) as database, database.read() as session:
        found = get_subscriber(session, normalise(email))
        tracking = tracking_of(session, found)
        lists = [
            {
                "list": slug,
                "status": one.status.value,
                "since": one.subscribed_at,
                "tracking": tracking[slug].value,
                "consent": one.consent,
            }
            for slug, one in subscriptions_of(session, found.id)
        ]
        suppressions = [
            {"address": one.address, "reason": one.reason.value, "source": one.source, "until": one.expires_at}
            for one in suppressions_of(session, found.email)
        ]
        happened = timeline(session, found.id, limit, place)
    more = place_of(happened[-1]) if len(happened) == limit else None
    who = {
        "email": found.email,
        "first_name": found.first_name,
        "last_name": found.last_name,
        "language": found.language,
        "timezone": found.timezone,
        "tags": found.tags,
        "attributes": found.attributes,
        "known_since": found.created_at,
    }
    if as_json:
        moments = [asdict(one) for one in happened]
        print_json({**who, "lists": lists, "suppressions": suppressions, "timeline": moments, "more": more})
        return
    for name, value in who.items():
        if value:
            say(f"{name}: {_shown(value)}")
    print_table(("list", "status", "since", "tracking", "consent"), [tuple(one.values()) for one in lists])
    if suppressions:
        print_table(("never mailed", "reason", "source", "until"), [tuple(one.values()) for one in suppressions])
    print_table(("when", "what", "about", "words"), [(one.at, one.what, one.about, one.words) for one in happened])
    for meaning in sorted({_NOT_KEPT[one] for one in tracking.values() if one in _NOT_KEPT}):
        say(meaning)
    if more is not None:
        say(f"More: --after {more}")


@app.command("export", epilog="Example: newsletter subscriber export ada@example.org")
def export(email: Address) -> None:
    """Print everything that is held about somebody, as JSON."""
    with open_database(load_settings()) as database, database.read() as session:
        print_json(everything_of(session, normalise(email)))


@app.command("forget", epilog="Example: newsletter subscriber forget ada@example.org --yes")
def forget_(
    email: Address, yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False
) -> None:
    """Erase somebody for good. No import brings them back; they themselves may sign up again."""
    address = normalise(email)
    settings = load_settings()
    if not yes and not typer.confirm(f"Erase all that is known of {address}, for good?"):
        raise ConflictError(f"nothing was erased: say yes, or give --yes, to forget {address}")
    with open_database(settings) as database, database.write() as session:
        gone = forget(session, address, address_digest(settings.secret()), moment(session))
    say(
        f"Forgotten: {gone.deliveries:,} deliveries and {gone.events:,} events no longer say whose they were, "
        f"{gone.suppressions:,} suppressions and {gone.staged:,} rows of unfinished imports are gone."
    )


def _shown(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {one}" for name, one in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)
