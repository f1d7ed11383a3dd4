"""`newsletter suppression`: addresses and domains that are never mailed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from newsletter.audience.suppressions import all_suppressions, release, suppress, suppressible
from newsletter.cli.database import open_database
from newsletter.cli.output import Json, print_json, print_table, say
from newsletter.config import load_settings
from newsletter.db import moment
from newsletter.errors import InputError, NotFoundError
from newsletter.models import SuppressionReason

app = typer.Typer(help="Addresses and domains that are never mailed.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(metavar="ADDRESS|@DOMAIN", help="An address, or a domain with its @.")]


@app.command("add", epilog="Example: newsletter suppression add @example.org --reason blocked --until 2027-01-31")
def add(
    address: Which,
    reason: Annotated[SuppressionReason, typer.Option(help="Why.")] = SuppressionReason.BLOCKED,
    until: Annotated[str | None, typer.Option(help="The day (UTC) on which it ends; for good when left out.")] = None,
    source: Annotated[str, typer.Option(help="Who says so.")] = "admin",
) -> None:
    """Never mail an address or a domain, at once and for messages already queued."""
    which = suppressible(address)
    with open_database(load_settings()) as database, database.write() as session:
        now = moment(session)
        is_new = suppress(session, which, reason, source, now, _end(until, now))
    say(f"{which} is not mailed {'from now on' if is_new else 'already; what holds longer holds'}.")


@app.command("rm", epilog="Example: newsletter suppression rm ada@example.org")
def rm(address: Which) -> None:
    """Let an address or a domain be mailed again, where it is on a list."""
    which = suppressible(address)
    with open_database(load_settings()) as database, database.write() as session:
        if not release(session, which):
            raise NotFoundError(f"{which} is not suppressed")
    say(f"{which} may be mailed again.")


@app.command("ls", epilog="Example: newsletter suppression ls --after ada@example.org --json")
def ls(
    after: Annotated[str, typer.Option(help="Go on behind this address.")] = "",
    limit: Annotated[int, typer.Option(help="How many to show.", min=1, max=10_000)] = 50,
    as_json: Json = False,
) -> None:
    """List suppressions in the order of their addresses."""
    with open_database(load_settings()) as database, database.read() as session:
        found = [
            {
                "address": one.address,
                "reason": one.reason.value,
                "source": one.source,
                "until": one.expires_at,
                "since": one.created_at,
            }
            for one in all_suppressions(session, after, limit)
        ]
    if as_json:
        print_json(found)
        return
    print_table(("address", "reason", "source", "until", "since"), [tuple(one.values()) for one in found])
    if len(found) == limit:
        say(f"More: --after {found[-1]['address']}")


def _end(until: str | None, now: datetime) -> datetime | None:
    if until is None:
        return None
    try:
        day = datetime.strptime(until, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InputError(f"--until: “{until[:40]}” is no day: write it as 2027-01-31") from None
    if day <= now:
        raise InputError(f"--until: {until} is over")
    return day
