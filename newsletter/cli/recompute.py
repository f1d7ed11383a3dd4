"""`newsletter stats`: a mailing's number alone is answered with what came of it; and counts made again."""

from __future__ import annotations

from typing import Annotated

import typer
from typer.core import TyperGroup

from newsletter.cli import stats
from newsletter.cli.database import open_database
from newsletter.cli.output import say
from newsletter.config import load_settings
from newsletter.db import Database, moment
from newsletter.errors import ConflictError, InputError
from newsletter.stats.summary import all_mailings
from newsletter.tracking.recount import recount

SHOW = "show"
BIGGEST = 2**63 - 1


class _Stats(TyperGroup):
    """`newsletter stats 3` is `newsletter stats show 3`."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = [SHOW, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_Stats,
    help="What came of a mailing: `newsletter stats 3`; and at each domain: `newsletter stats --domains`.",
    no_args_is_help=True,
)
app.command(SHOW, epilog=stats.EXAMPLE)(stats.stats)


@app.command("recompute", epilog="Example: newsletter stats recompute 3")
def recompute(
    mailing_id: Annotated[
        int | None, typer.Argument(metavar="MAILING", help="The mailing's number.", min=1, max=BIGGEST)
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All mailings whose events are still kept.")] = False,
) -> None:
    """Judge who did what, and count it, again from the events: after another version knows more programs.

    Of a mailing whose events are no longer all kept, nothing changes.
    """
    if everything is (mailing_id is not None):
        raise InputError("give a mailing's number (`newsletter mailing ls` lists them) or --all, one of both")
    with open_database(load_settings()) as database:
        if mailing_id is not None:
            _recompute(database, mailing_id)
            return
        with database.read() as session:
            mailings = all_mailings(session)
        for each in mailings:
            try:
                _recompute(database, each)
            except ConflictError as error:
                say(f"Mailing {each}: left as it is; {error}.")


def _recompute(database: Database, mailing_id: int) -> None:
    with database.read() as session:
        now = moment(session)
    done = recount(database, mailing_id, now)
    say(f"Mailing {mailing_id}: {done.verdicts:,} verdicts changed, {done.counts:,} counts put right.")
