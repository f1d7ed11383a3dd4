"""`newsletter mailing links`, `correct-link`: where the links of a mailing lead."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from newsletter.cli.database import open_database
from newsletter.cli.output import Json, MailingNumber, print_json, print_table, say
from newsletter.config import load_settings
from newsletter.db import moment
from newsletter.queue import make_redis
from newsletter.sending.control import get_mailing
from newsletter.tracking.corrections import correct_link, corrections
from newsletter.tracking.deliveries import link_targets
from newsletter.tracking.targets import TargetStore

LARGEST_NUMBER = 2**31 - 1


def links(mailing_id: MailingNumber, as_json: Json = False) -> None:
    """List the links of a mailing by their numbers, and which were corrected."""
    with open_database(load_settings()) as database, database.read() as session:
        get_mailing(session, mailing_id)
        targets = link_targets(session, mailing_id)
        corrected = {one.number: one.corrected_at for one in corrections(session, mailing_id)}
    columns = ("number", "url", "corrected_at")
    rows = [(number, url, corrected.get(number)) for number, url in sorted(targets.items())]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(("link", "leads to", "corrected"), rows)


def correct(
    mailing_id: MailingNumber,
    number: Annotated[int, typer.Argument(help="The link's number.", min=1, max=LARGEST_NUMBER)],
    url: Annotated[str, typer.Argument(help="Where it is to lead, an https address.")],
) -> None:
    """Have a link of a mailing lead elsewhere, in messages that were sent too."""
    settings = load_settings()
    with open_database(settings) as database:
        with database.write() as session:
            get_mailing(session, mailing_id)
            correct_link(session, mailing_id, number, url, moment(session))
        with database.read() as session:
            targets = link_targets(session, mailing_id)
    # Where this fails the same command may be given again: it does the rest.
    with closing(TargetStore(make_redis(settings))) as store:
        store.correct(mailing_id, number, targets)
    say(f"Link {number} of mailing {mailing_id} leads to {url} within seconds.")
