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
from newsletter.cli.progress import counted, outcomes
from newsletter.config import load_settings
from newsletter.db import Database, moment
from newsletter.mail.addresses import normalise
from newsletter.models import OPEN_STATES, MailingStatus
from newsletter.sending import control
from newsletter.stats.summary import count_states


def pause(mailing_id: MailingNumber) -> None:
    """Let nothing more of a mailing leave; messages on the wire are finished."""
    with _changing() as (session, _):
        control.pause(session, mailing_id)
    say(f"Mailing {mailing_id} is paused; `newsletter mailing resume {mailing_id}` goes on with it.")


def resume(mailing_id: MailingNumber) -> None:
    """Go on with a paused mailing where it stood."""
    with _changing() as (session, now):
        control.resume(session, mailing_id)
        mailing = control.get_mailing(session, mailing_id)
    if mailing.status is MailingStatus.SCHEDULED and mailing.due_at > now:
        say(f"Mailing {mailing_id} begins at {mailing.due_at:%Y-%m-%d %H:%M} UTC.")
    else:
        say(f"Mailing {mailing_id} goes on.")


def cancel(mailing_id: MailingNumber) -> None:
    """Send no more of a mailing; whoever has no message yet gets none."""
    with open_database(load_settings()) as database:
        with database.write() as session:
            control.cancel(session, mailing_id, moment(session))
        while _cancel_batch(database, mailing_id):
            pass
        with database.read() as session:
            states = count_states(session, mailing_id)
    with_workers = sum(states.pop(state, 0) for state in OPEN_STATES)
    say(f"Mailing {mailing_id} is cancelled: {outcomes(states)}.")
    if with_workers:
        say(f"Workers still have {counted(with_workers, 'recipient')} in hand and let go of them within seconds.")


def _cancel_batch(database: Database, mailing_id: int) -> bool:
    with database.write() as session:
        return control.cancel_batch(session, mailing_id, moment(session))


def retry(mailing_id: MailingNumber) -> None:
    """Try those again who were refused, and only those."""
    with _changing() as (session, now):
        count = control.retry(session, mailing_id, now)
        once_resumed = _once_resumed(session, mailing_id)
    say(f"Mailing {mailing_id} tries {counted(count, 'recipient')} again{once_resumed}.")


def resend(
    mailing_id: MailingNumber,
    emails: Annotated[list[str], typer.Argument(metavar="EMAIL...", help="Uncertain recipients, by address.")],
) -> None:
    """Send once more to uncertain recipients, who may have the message already."""
    wanted = [normalise(email) for email in emails]
    with _changing() as (session, now):
        control.get_mailing(session, mailing_id)
        count = control.resend(session, mailing_id, wanted, now)
        once_resumed = _once_resumed(session, mailing_id)
    say(f"Mailing {mailing_id} goes once more to {counted(count, 'recipient')}{once_resumed}.")


@contextmanager
def _changing() -> Iterator[tuple[Session, datetime]]:
    with open_database(load_settings()) as database, database.write() as session:
        yield session, moment(session)


def _once_resumed(session: Session, mailing_id: int) -> str:
    is_paused = control.get_mailing(session, mailing_id).status is MailingStatus.PAUSED
    return f", once `newsletter mailing resume {mailing_id}` goes on with it" if is_paused else ""
