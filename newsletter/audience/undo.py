"""An import undone: everything is as it was before it, but whoever has unsubscribed since then stays unsubscribed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Delete, Select, Update, delete, exists, func, select, update
from sqlalchemy.orm import Session

from newsletter.audience.chunk import write_profiles
from newsletter.audience.imports import quiet
from newsletter.audience.jobs import get_import
from newsletter.audience.profile import Profile, profile_of, put_back
from newsletter.audience.staging import OnProgress, Transactions, drop_staged
from newsletter.audience.weighing import profile_columns
from newsletter.errors import ConflictError
from newsletter.models import (
    Consent,
    Delivery,
    Import,
    ImportChange,
    ImportState,
    List,
    Notice,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Suppression,
)

ROWS_AT_A_TIME = 20_000
UNDOING = "Undoing"
Entity = type[Suppression] | type[Subscription] | type[Consent] | type[Subscriber]


@dataclass(slots=True)
class Undone:
    """How much was taken back. `kept_unsubscribed` have left since the import, and stay as people who left."""

    subscriptions: int = 0
    subscribers: int = 0
    changes: int = 0
    suppressions: int = 0
    kept_unsubscribed: int = 0


def undo(transactions: Transactions, import_id: int, now: datetime, on_progress: OnProgress = quiet) -> Undone:
    """Undo an import that has ended, or was stopped anywhere. Stopped itself, it can be started again.

    What has been changed again since then, by a person or by a later import, stays; nobody is deleted to whom mail
    was sent. Raises ConflictError where it is undone already.
    """
    with transactions() as session:
        found = get_import(session, import_id, lock=True)
        if found.state is ImportState.UNDONE:
            raise ConflictError(f"import {import_id} is undone already")
        found.state, begun_at = ImportState.UNDOING, found.created_at
        drop_staged(session, import_id)
    undone = Undone()
    _hand_over(transactions, import_id, on_progress)
    made = Suppression.import_id == import_id
    undone.suppressions = _delete(transactions, Suppression, made, on_progress)
    joined = Subscription.import_id == import_id
    undone.subscriptions = _delete(transactions, Subscription, joined & ~_left_since(begun_at), on_progress)
    came = (Consent.import_id == import_id) & ~exists().where(
        joined, Subscription.subscriber_id == Consent.subscriber_id
    )
    _delete(transactions, Consent, came, on_progress)
    undone.changes = _put_back_changes(transactions, import_id)
    undone.subscribers = _delete(transactions, Subscriber, _only_imported(import_id), on_progress)
    with transactions() as session:
        undone.kept_unsubscribed = session.scalar(select(func.count()).select_from(Subscription).where(joined)) or 0
        _finish(session, get_import(session, import_id, lock=True), now)
    return undone


def _hand_over(transactions: Transactions, import_id: int, on_progress: OnProgress) -> None:
    """Leave to a later import what it found here by this one: suppressions under which it put people on another list,
    and their decisions about all lists."""
    later = select(func.min(Subscription.import_id)).where(Subscription.import_id > import_id)
    of_address = later.join(Subscriber, Subscriber.id == Subscription.subscriber_id).where(
        Subscriber.email == Suppression.address
    )
    of_person = later.where(Subscription.subscriber_id == Consent.subscriber_id)
    made, everywhere = Suppression.import_id == import_id, Consent.list_id.is_(None)
    for entity, found, which in (
        (Suppression, of_address.scalar_subquery(), made),
        (Consent, of_person.scalar_subquery(), everywhere & (Consent.import_id == import_id)),
    ):
        change = update(entity).where(which, found.is_not(None)).values(import_id=found)
        _in_steps(transactions, entity, change, on_progress)


def _delete(transactions: Transactions, entity: Entity, which: ColumnElement[bool], on_progress: OnProgress) -> int:
    return _in_steps(transactions, entity, delete(entity).where(which), on_progress)


def _in_steps(transactions: Transactions, entity: Entity, change: Delete | Update, on_progress: OnProgress) -> int:
    """Change rows, in steps through the table's numbers, since none of these is indexed by import; how many."""
    with transactions() as session:
        last = session.scalar(select(func.max(entity.id))) or 0
    changed = 0
    for first in range(0, last + 1, ROWS_AT_A_TIME):
        span = entity.id.between(first, first + ROWS_AT_A_TIME - 1)
        with transactions() as session:
            statement = change.where(span).execution_options(synchronize_session=False)
            changed += cast(CursorResult[Any], session.execute(statement)).rowcount
        on_progress(f"{UNDOING} {entity.__tablename__}", min(first + ROWS_AT_A_TIME, last), last)
    return changed


def _left_since(begun_at: datetime) -> ColumnElement[bool]:
    """Whether somebody has left since an import began; one of an export of ours brings people who left before."""
    left = Subscription.status == SubscriptionStatus.UNSUBSCRIBED
    return left & Subscription.unsubscribed_at.is_not(None) & (Subscription.unsubscribed_at >= begun_at)


def _only_imported(import_id: int) -> ColumnElement[bool]:
    """Whether a subscriber came by this import, or by one undone before, and nothing else needs them."""
    undone = select(Import.id).where(Import.state == ImportState.UNDONE)
    return (
        ((Subscriber.import_id == import_id) | Subscriber.import_id.in_(undone))
        & ~exists().where(Subscription.subscriber_id == Subscriber.id)
        & ~exists().where(Delivery.subscriber_id == Subscriber.id)
        & ~exists().where(Consent.subscriber_id == Subscriber.id)
        & ~exists().where(Notice.subscriber_id == Subscriber.id)
    )


def _put_back_changes(transactions: Transactions, import_id: int) -> int:
    put, more = 0, True
    while more:
        with transactions() as session:
            changes = session.scalars(
                select(ImportChange)
                .where(ImportChange.import_id == import_id)
                .order_by(ImportChange.subscriber_id)
                .limit(ROWS_AT_A_TIME)
            ).all()
            if changes:
                _put_back(session, {change.subscriber_id: change for change in changes})
        put, more = put + len(changes), bool(changes)
    return put


def _put_back(session: Session, changes: dict[int, ImportChange]) -> None:
    """Put back changes that follow each other, and forget them."""
    import_id = next(change.import_id for change in changes.values())
    span = ImportChange.subscriber_id.between(min(changes), max(changes))
    these = (ImportChange.import_id == import_id) & span
    changed = select(ImportChange.subscriber_id).where(these)
    _put_back_profiles(session, changes, changed)
    # What a later import found, it found by this one: undone in turn, it must lead back behind this one.
    of_the_same = span & ImportChange.subscriber_id.in_(changed)
    for later in session.scalars(select(ImportChange).where(ImportChange.import_id > import_id, of_the_same)):
        change = changes[later.subscriber_id]
        led_back = put_back(later.before, change.before, change.after)
        later.before = {name: led_back[name] for name in later.before}
    session.flush()
    session.execute(delete(ImportChange).where(these).execution_options(synchronize_session=False))


def _put_back_profiles(session: Session, changes: dict[int, ImportChange], changed: Select[int]) -> None:
    profiles = {}
    for subscriber_id, *profile in session.execute(
        select(Subscriber.id, *profile_columns(Subscriber)).where(Subscriber.id.in_(changed)).with_for_update()
    ):
        change = changes[subscriber_id]
        facts = put_back(Profile(*cast(Any, profile)).facts(), change.before, change.after)
        profiles[subscriber_id] = profile_of({name: fact for name, fact in facts.items() if fact is not None})
    write_profiles(session, profiles)


def _finish(session: Session, found: Import, now: datetime) -> None:
    others = session.scalars(
        select(Import.attribute_names).where(
            Import.list_id == found.list_id, Import.id != found.id, Import.state == ImportState.DONE
        )
    )
    kept = {name for names in others for name in names}
    mailing_list = session.get_one(List, found.list_id, with_for_update=True, populate_existing=True)
    brought = set(found.attribute_names) - kept
    mailing_list.attribute_names = [name for name in mailing_list.attribute_names if name not in brought]
    found.state, found.undone_at = ImportState.UNDONE, now
