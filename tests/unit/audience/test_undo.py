"""What an import did, taken back."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import select, update

from newsletter.audience.subscriptions import unsubscribe
from newsletter.audience.suppressions import suppress
from newsletter.audience.undo import undo
from newsletter.db import Database
from newsletter.errors import ConflictError
from newsletter.models import (
    Delivery,
    List,
    Mailing,
    Publication,
    Subscriber,
    Subscription,
    SuppressionReason,
)
from tests.factories import make_list, make_mailing
from tests.unit.audience.world import load, people, staged, suppressed, tables

FIRST = "email,first_name,ville,tags\nada@example.org,Ada,Mons,vip\nbob@example.org,Bob,Gand,\n"
SECOND = (
    "email,first_name,ville,tz,tags,status\nada@example.org,Augusta,Namur,Europe/Brussels,presse,subscribed\n"
    "eve@example.org,Eve,,,,subscribed\nbob@example.org,,,,,unsubscribed\n"
)


@pytest.fixture(autouse=True)
def _list(database: Database) -> None:
    with database.write() as session:
        make_list(session)


def leave(database: Database, email: str, now: datetime) -> None:
    with database.write() as session:
        place = session.scalars(
            select(Subscription)
            .join(Subscriber, Subscriber.id == Subscription.subscriber_id)
            .where(Subscriber.email == email)
        ).one()
        assert unsubscribe(session, place.list_id, place.subscriber_id, now)


def attribute_names(database: Database) -> list[str]:
    with database.read() as session:
        return session.scalars(select(List.attribute_names)).one()


def test_everything_is_as_it_was_before(database: Database, now: datetime) -> None:
    load(database, FIRST)
    before = people(database), suppressed(database), attribute_names(database)
    number, _ = load(database, SECOND)
    assert (people(database), suppressed(database)) != before[:2]
    undone = undo(database.write, number, now)
    assert (people(database), suppressed(database), attribute_names(database)) == before
    assert (undone.subscriptions, undone.subscribers, undone.changes, undone.suppressions) == (1, 1, 1, 1)
    assert tables(database) == []


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_imports_on_top_of_each_other_can_be_undone_in_any_order(
    database: Database, now: datetime, order: tuple[int, int]
) -> None:
    with database.write() as session:
        make_list(session, session.scalars(select(Publication)).one(), "samedi")
    load(database, "email,ville\nada@example.org,Arlon\n", slug="samedi")
    before = people(database), suppressed(database)
    numbers = [load(database, FIRST)[0], load(database, SECOND)[0]]
    for at in order:
        undo(database.write, numbers[at], now)
    assert (people(database), suppressed(database)) == before


def test_whoever_has_unsubscribed_since_stays_unsubscribed(database: Database, now: datetime) -> None:
    number, _ = load(database, FIRST)
    leave(database, "ada@example.org", now)
    undone = undo(database.write, number, now)
    assert undone.kept_unsubscribed == 1
    assert {email: one["lists"]["vendredi"][0] for email, one in people(database).items()} == {
        "ada@example.org": "unsubscribed"
    }
    assert load(database, FIRST)[1].kept_unsubscribed == 1


def test_what_was_changed_again_since_then_stays(database: Database, now: datetime) -> None:
    load(database, FIRST)
    number, _ = load(database, SECOND)
    with database.write() as session:
        session.execute(
            update(Subscriber).where(Subscriber.email == "ada@example.org").values(attributes={"ville": "Paris"})
        )
    undo(database.write, number, now)
    ada = people(database)["ada@example.org"]
    assert (ada["names"], ada["attributes"], ada["tags"]) == (("Ada", ""), {"ville": "Paris"}, ["vip"])
    assert ada["locale"] == ("", "")


def test_a_suppression_that_is_not_the_import_s_own_stays(database: Database, now: datetime) -> None:
    with database.write() as session:
        suppress(session, "bob@example.org", SuppressionReason.BOUNCED, "test", now)
    number, _ = load(database, SECOND)
    undo(database.write, number, now)
    assert suppressed(database) == {"bob@example.org": "test"}


def test_nobody_to_whom_mail_was_sent_is_deleted(database: Database, now: datetime) -> None:
    mailing_id = make_mailing(database, ["ada@example.org"], slug="samedi")
    number = 1
    undo(database.write, number, now)
    with database.read() as session:
        assert session.scalars(select(Delivery.email)).all() == ["ada@example.org"]
        assert session.get(Mailing, mailing_id) is not None
    assert people(database)["ada@example.org"]["lists"] == {}


def test_an_import_of_which_nothing_has_gone_in_is_undone_too(database: Database, now: datetime) -> None:
    number = staged(database, FIRST)
    undo(database.write, number, now)
    assert (people(database), tables(database)) == ({}, [])
    with pytest.raises(ConflictError, match="is undone already"):
        undo(database.write, number, now)
