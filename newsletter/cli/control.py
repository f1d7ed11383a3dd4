"""`newsletter mailing pause`, `resume`, `cancel`, `retry`, `resend`: what may be done with a mailing under way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from newsletter.cli.database import open_database
from newsletter.cli.output import MailingNumber, say
from newsletter.config import load_settings
from newsletter.db import moment
from newsletter.sending import control


def pause(mailing_id: MailingNumber) -> None:
    """Let nothing more of a mailing leave; messages on the wire are finished."""
    with _changing() as (session, _):
        control.pause(session, mailing_id)
    say(f"Mailing {mailing_id} is paused; `newsletter mailing resume {mailing_id}` goes on with it.")


def resume(mailing_id: MailingNumber) -> None:
    """Go on with a paused mailing where it stood."""
    with _changing() as (session, _):
        control.resume(session, mailing_id)
    say(f"Mailing {mailing_id} goes on.")


def cancel(mailing_id: MailingNumber) -> None:
    """Send no more of a mailing; whoever has no message yet gets none."""
    with _changing() as (session, now):
        control.cancel(session, mailing_id, now)
    cancelled = True
    while cancelled:
        with _changing() as (session, now):
            cancelled = control.cancel_batch(session, mailing_id, now)
    say(f"Mailing {mailing_id} is cancelled; what was sent stays sent.")


def retry(mailing_id: MailingNumber) -> None:
    """Try those again who were refused, and only those."""
    with _changing() as (session, now):
        count = control.retry(session, mailing_id, now)
    say(f"Mailing {mailing_id} tries {_recipients(count)} again.")


def resend(
    mailing_id: MailingNumber,
    emails: Annotated[list[str], typer.Argument(metavar="EMAIL...", help="Uncertain recipients, by address.")],
) -> None:
    """Send once more to uncertain recipients, who may have the message already."""
    with _changing() as (session, now):
        count = control.resend(session, mailing_id, emails, now)
    say(f"Mailing {mailing_id} goes once more to {_recipients(count)}.")


@contextmanager
def _changing() -> Iterator[tuple[Session, datetime]]:
    with open_database(load_settings()) as database, database.write() as session:
        yield session, moment(session)


def _recipients(count: int) -> str:
    return "1 recipient" if count == 1 else f"{count:,} recipients"
