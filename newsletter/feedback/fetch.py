"""mailbox -> signals: bounces read where they lie, each in SQL before it is deleted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import getaddresses

import structlog
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from newsletter.config import Settings
from newsletter.db import Database, insert_into, moment
from newsletter.errors import ConfigError, NewsletterError
from newsletter.feedback.mailbox import Mailbox, open_mailbox
from newsletter.feedback.mime import parts
from newsletter.feedback.record import Applied, apply_mail
from newsletter.feedback.signal import Kind
from newsletter.feedback.trace import Traces
from newsletter.models import LeftMessage

# A worker has other things to do; what is left then is for the next turn.
MOST_A_RUN = 500
SECONDS_A_RUN = 60.0
# Where servers write down which of a mailbox's addresses a message was sent to.
_RECIPIENTS = ("delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "to")
_MOST_SIGNS = 1000
_A_STATEMENT = 500

log = structlog.get_logger()


@dataclass(slots=True)
class Fetched:
    """A run's messages: `read`, of which `deleted`, and `waiting` for the next run; the `new` signals in them."""

    read: int = 0
    new: int = 0
    deleted: int = 0
    waiting: int = 0

    def __str__(self) -> str:
        told = f"{self.read} read: {self.new} new, {self.deleted} deleted, {self.read - self.deleted} left for people"
        return f"{told}; {self.waiting} wait for the next run" if self.waiting else told


def fetch_bounces(settings: Settings, database: Database) -> Fetched:
    """Do what the messages in the mailbox of `bounce_fetch_url` ask for.

    Whatever is about a delivery of ours is deleted, once it is committed; automatic replies and all else stay as they
    are. Raises what `open_mailbox` raises, and ConfigError where no mailbox is set.
    """
    account = settings.bounce_fetch
    if account is None:
        raise ConfigError("set bounce_fetch_url, such as imaps://user:password@host/INBOX (docs/feedback.md)")
    traces = Traces(settings.secret(), settings.bounce_mailbox)
    with open_mailbox(account) as mailbox:
        return _Run(database, mailbox, f"{account.username} {account.place}", traces, settings.soft_bounces).through()


class _Run:
    """One look through a mailbox; `place` names it."""

    def __init__(self, database: Database, mailbox: Mailbox, place: str, traces: Traces, soft_bounces: int) -> None:
        self._database = database
        self._mailbox = mailbox
        self._place = place
        self._traces = traces
        self._soft_bounces = soft_bounces

    def through(self) -> Fetched:
        """Everything that was not looked at before, the oldest first."""
        names = self._mailbox.names()
        with self._database.write() as session:
            left = _left(session, [self._key(name) for name in names])
        unseen = [name for name in names if self._key(name) not in left]
        told, stop_at = Fetched(waiting=len(unseen)), time.monotonic() + SECONDS_A_RUN
        for name in unseen[:MOST_A_RUN]:
            if time.monotonic() > stop_at:
                break
            # What the server cannot give now waits, and holds up nothing.
            if (data := self._mailbox.read(name)) is None:
                continue
            applied = self._apply(name, data)
            told.read, told.waiting, told.new = told.read + 1, told.waiting - 1, told.new + len(applied.new)
            if _is_done(applied):
                self._mailbox.delete(name)
                told.deleted += 1
        return told

    def _apply(self, name: str, data: bytes) -> Applied:
        try:
            with self._database.write() as session:
                to = _recipient(data, self._traces)
                applied = apply_mail(session, data, to, self._traces, moment(session), self._soft_bounces)
                if not _is_done(applied):
                    _leave(session, self._key(name))
        except NewsletterError:
            raise
        except Exception as error:
            # One that nobody thought of must not stand before all others.
            log.warning("message left in the bounce mailbox", name=name, reason=str(error).partition("\n")[0])
            with self._database.write() as session:
                _leave(session, self._key(name))
            return Applied()
        return applied

    def _key(self, name: str) -> str:
        return f"{self._place} {name}"


def _is_done(applied: Applied) -> bool:
    """Whether a message was about deliveries of ours. An automatic reply may tell people whom to write to instead."""
    return any(signal.kind is not Kind.AUTO_REPLY for signal in (*applied.new, *applied.known))


def _recipient(data: bytes, traces: Traces) -> str:
    """Which envelope sender of ours a message was sent to; empty where none is named."""
    headers, _ = parts(data)
    lines = [line[:_MOST_SIGNS] for name in _RECIPIENTS for line in headers.get(name, [])]
    return next((address for _, address in getaddresses(lines) if traces.envelope(address)), "")


def _leave(session: Session, key: str) -> None:
    session.execute(insert_into(session, LeftMessage).values(name=key).on_conflict_do_nothing())


def _left(session: Session, keys: Sequence[str]) -> set[str]:
    """Those that were looked at before; what lies there no longer is forgotten."""
    known = set(session.scalars(select(LeftMessage.name)))
    gone = sorted(known.difference(keys))
    for start in range(0, len(gone), _A_STATEMENT):
        session.execute(delete(LeftMessage).where(LeftMessage.name.in_(gone[start : start + _A_STATEMENT])))
    return known.intersection(keys)
