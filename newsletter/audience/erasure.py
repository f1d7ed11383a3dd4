"""A person forgotten: everything that says who they are goes, what became of our mail stays counted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, and_, delete, inspect, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer

from newsletter.audience.digests import Digest
from newsletter.audience.staging import staged_rows
from newsletter.errors import ConflictError, NotFoundError
from newsletter.models import (
    Base,
    Delivery,
    DeliveryState,
    Erasure,
    Event,
    Import,
    ImportChange,
    ImportState,
    Mailing,
    SignalRecord,
    Subscriber,
    Suppression,
    lock_events,
    reader_name,
    unsubscribe_source,
    veiled,
)

_UNFINISHED = (ImportState.STAGING, ImportState.STAGED, ImportState.RUNNING, ImportState.UNDOING)
# 16 random bytes, in the letters and the length of Event.reader.
_READER_BYTES = 16


@dataclass(slots=True)
class Forgotten:
    """How much went; `deliveries` and `events` stay, without saying whose they were."""

    subscriber: bool = False
    deliveries: int = 0
    events: int = 0
    signals: int = 0
    suppressions: int = 0
    staged: int = 0

    @property
    def is_nothing(self) -> bool:
        return not (self.subscriber or self.suppressions or self.staged)


def forget(session: Session, email: str, digest: Digest, now: datetime) -> Forgotten:
    """Forget whoever has this address (normalised), and keep a keyed hash by which no import brings it back.

    Deliveries keep hashes that nobody can try addresses on, in place of address and reply, so that receipts still
    verify; events keep what was done, under a name drawn for each mailing. Raises NotFoundError where nothing is
    known, ConflictError while a message to them is on its way.
    """
    forgotten = Forgotten()
    # Imports take their rows in under the same lock: none is between reading a row and putting it in.
    imports = session.scalars(select(Import).order_by(Import.id).with_for_update()).all()
    subscriber_id = session.scalar(select(Subscriber.id).where(Subscriber.email == email).with_for_update())
    if subscriber_id is not None:
        _forget_subscriber(session, subscriber_id, forgotten)
    forgotten.suppressions = _rows(session.execute(delete(Suppression).where(Suppression.address == email)))
    for one in imports:
        if one.state in _UNFINISHED:
            forgotten.staged += _forget_staged(session, one, email)
        _forget_samples(one, email)
    if forgotten.is_nothing:
        raise NotFoundError(f"nothing is known of {email}")
    _forget_receipts(session, email)
    with suppress(IntegrityError), session.begin_nested():
        session.add(Erasure(digest=digest(email), erased_at=now))
    session.flush()
    return forgotten


def _forget_subscriber(session: Session, subscriber_id: int, forgotten: Forgotten) -> None:
    forgotten.subscriber = True
    mine = select(Delivery).where(Delivery.subscriber_id == subscriber_id)
    deliveries = session.scalars(mine.order_by(Delivery.id).with_for_update()).all()
    # None is being put in for them meanwhile.
    lock_events(session, {delivery.mailing_id for delivery in deliveries})
    for delivery in deliveries:
        if delivery.state is DeliveryState.CLAIMED:
            raise ConflictError(
                f"a message of mailing {delivery.mailing_id} to {delivery.email} is on its way: try again in a minute"
            )
        forgotten.deliveries += 1
        forgotten.events += _forget_events(session, delivery)
        _veil(delivery)
    about = SignalRecord.subscriber_id == subscriber_id
    forgotten.signals = _rows(
        session.execute(update(SignalRecord).where(about).values(subscriber_id=None, delivery_id=None, words=""))
    )
    for condition, table in _what_hangs_on(subscriber_id):
        session.execute(delete(table).where(condition))
    session.execute(delete(ImportChange).where(ImportChange.subscriber_id == subscriber_id))
    session.execute(delete(Subscriber).where(Subscriber.id == subscriber_id))


def _veil(delivery: Delivery) -> None:
    if delivery.salt is not None:
        reply = delivery.reply
        delivery.reply = veiled(reply, delivery.salt) if reply else reply
        delivery.email, delivery.salt = veiled(delivery.email, delivery.salt), None


def _forget_events(session: Session, delivery: Delivery) -> int:
    """As long as readers without a person can be told apart, they could be told from the delivery, too."""
    salt = session.scalar(select(Mailing.reader_salt).where(Mailing.id == delivery.mailing_id))
    name, gone = reader_name(salt, delivery.id), 0
    for theirs in (Event.delivery_id == delivery.id, and_(Event.reader == name, Event.reader != "")):
        unlinked = {"delivery_id": None, "ip": None, "reader": token_urlsafe(_READER_BYTES)}
        of_mailing = Event.mailing_id == delivery.mailing_id
        gone += _rows(session.execute(update(Event).where(of_mailing, theirs).values(unlinked)))
    left = Event.source == unsubscribe_source(name)
    drawn = unsubscribe_source(token_urlsafe(_READER_BYTES))
    session.execute(update(Event).where(left).values(source=drawn))
    return gone


def _what_hangs_on(subscriber_id: int) -> Iterator[tuple[ColumnElement[bool], Any]]:
    """Every table that refers to subscribers, and which of its rows to this one."""
    for table in reversed(Base.metadata.sorted_tables):
        for column in table.c:
            if any(key.column is Subscriber.__table__.c.id for key in column.foreign_keys):
                yield column == subscriber_id, table


def _forget_staged(session: Session, one: Import, email: str) -> int:
    staged = staged_rows(session, one.id)
    if not inspect(session.connection()).has_table(staged.name):
        return 0
    removed = _rows(session.execute(delete(staged).where(staged.c.email == email)))
    one.staged = max(one.staged - removed, 0)
    return removed


def _forget_samples(one: Import, email: str) -> None:
    samples = one.report.get("samples", {})
    kept = {name: [row for row in rows if email not in row["words"]] for name, rows in samples.items()}
    if kept != samples:
        one.report = {**one.report, "samples": kept}


def _forget_receipts(session: Session, email: str) -> None:
    """Receipts of pruned mailings name those whose outcome is uncertain."""
    pruned = select(Mailing).where(Mailing.pruned_at.is_not(None)).options(undefer(Mailing.receipt))
    for mailing in session.scalars(pruned):
        receipt = mailing.receipt or {}
        if email in receipt.get("uncertain", ()):
            names = ["forgotten" if name == email else name for name in receipt["uncertain"]]
            mailing.receipt = {**receipt, "uncertain": names}


def _rows(result: Any) -> int:
    return cast(CursorResult[Any], result).rowcount
