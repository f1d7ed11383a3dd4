"""Any sequence of imports, undos, sign-ups, unsubscribes and bounces keeps what has been promised to people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from newsletter.audience.jobs import Options
from newsletter.audience.profile import Conflicts
from newsletter.audience.suppressions import suppress
from newsletter.audience.undo import undo
from newsletter.db import Database
from newsletter.models import (
    Base,
    Import,
    ImportState,
    List,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Suppression,
    SuppressionReason,
)
from newsletter.models.schema import upgrade
from tests.factories import NOW, make_list
from tests.unit.audience.world import load, people, suppressed

EMAILS = [f"{name}@example.org" for name in ("ada", "bob", "eve")]
ONE = st.sampled_from(EMAILS)
STATUSES = st.sampled_from(["subscribed", "subscribed", "pending", "unsubscribed", "cleaned", "complained"])
PLACES = st.sampled_from([",", "Mons,fr", "Gand,nl", ",fr", "Gand,"])
LINE = st.tuples(ONE, st.sampled_from(["", "A", "B"]), PLACES, STATUSES)
FILES = st.lists(LINE, min_size=1, max_size=4)
STEPS = st.one_of(
    st.tuples(st.just("import"), FILES, st.sampled_from(Conflicts)),
    st.tuples(st.just("undo"), st.integers(0, 5)),
    st.tuples(st.just("unsubscribe"), ONE),
    st.tuples(st.just("bounce"), ONE),
    st.tuples(st.just("sign up"), ONE),
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('sequences') / 'newsletter.db'}")
    upgrade(database)
    yield database
    database.close()


def emptied(database: Database) -> Database:
    with database.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))
        make_list(session)
    return database


def text_of(lines: list[tuple[str, str, str, str]]) -> str:
    return "email,first_name,ville,language,status\n" + "".join(f"{','.join(line)}\n" for line in lines)


class World:
    """Does a step, and knows who must never be mailed again."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.gone: set[str] = set()
        self.left: set[str] = set()

    def do(self, step: tuple[Any, ...]) -> None:
        match step:
            case ("import", lines, policy):
                load(self.database, text_of(lines), Options("stated", policy))
            case ("undo", at):
                numbers = self.undoable()
                if numbers:
                    undo(self.database.write, numbers[at % len(numbers)], NOW)
            case ("unsubscribe", email):
                self._unsubscribe(email)
            case ("bounce", email):
                self._bounce(email)
            case ("sign up", email):
                self._sign_up(email)

    def undoable(self) -> list[int]:
        with self.database.read() as session:
            return list(session.scalars(select(Import.id).where(Import.state == ImportState.DONE)))

    def mailable(self) -> set[str]:
        return {
            email
            for email, one in people(self.database).items()
            if one["lists"].get("vendredi", ("",))[0] == "active" and email not in suppressed(self.database)
        }

    def _unsubscribe(self, email: str) -> None:
        with self.database.write() as session:
            found = session.execute(
                update(Subscription)
                .where(Subscription.subscriber_id.in_(select(Subscriber.id).where(Subscriber.email == email)))
                .values(status=SubscriptionStatus.UNSUBSCRIBED, unsubscribed_at=NOW)
                .returning(Subscription.id)
            ).all()
        if found:
            self.left.add(email)

    def _bounce(self, email: str) -> None:
        with self.database.write() as session:
            if session.scalar(select(Suppression).where(Suppression.address == email)) is None:
                suppress(session, email, SuppressionReason.BOUNCED, "test", NOW)
                self.gone.add(email)

    def _sign_up(self, email: str) -> None:
        with self.database.write() as session:
            if session.scalar(select(Subscriber).where(Subscriber.email == email)) is None:
                one = Subscriber(email=email, first_name="A", created_at=NOW)
                session.add(one)
                session.flush()
                list_id = session.scalars(select(List.id)).one()
                session.add(
                    Subscription(
                        list_id=list_id,
                        subscriber_id=one.id,
                        status=SubscriptionStatus.ACTIVE,
                        consent="signed up",
                        subscribed_at=NOW,
                    )
                )


@settings(deadline=None, max_examples=60)
@given(steps=st.lists(STEPS, min_size=2, max_size=8))
def test_nobody_who_is_gone_can_be_mailed_and_every_consent_is_kept(
    shared: Database, steps: list[tuple[Any, ...]]
) -> None:
    world = World(emptied(shared))
    for step in steps:
        before = people(shared)
        world.do(step)
        after = people(shared)
        assert not world.mailable() & (world.gone | world.left)
        assert world.gone <= set(suppressed(shared))
        if step[0] != "undo":
            for email, one in before.items():
                assert after[email]["lists"]["vendredi"][1] == one["lists"]["vendredi"][1]


@settings(deadline=None, max_examples=60)
@given(
    files=st.lists(st.tuples(FILES, st.sampled_from(Conflicts)), min_size=1, max_size=4),
    known=st.lists(ONE, max_size=2),
    random=st.randoms(use_true_random=False),
)
def test_all_imports_undone_in_any_order_leave_what_was_there_before(
    shared: Database, files: list[tuple[Any, Conflicts]], known: list[str], random: Any
) -> None:
    world = World(emptied(shared))
    for email in known:
        world.do(("sign up", email))
    before = people(shared), suppressed(shared)
    for lines, policy in files:
        world.do(("import", lines, policy))
    numbers = world.undoable()
    random.shuffle(numbers)
    for number in numbers:
        undo(shared.write, number, NOW)
    assert (people(shared), suppressed(shared)) == before


@settings(deadline=None, max_examples=30)
@given(lines=FILES, policy=st.sampled_from(Conflicts))
def test_the_same_file_a_second_time_changes_nothing(shared: Database, lines: Any, policy: Conflicts) -> None:
    emptied(shared)
    load(shared, text_of(lines), Options("stated", policy))
    before = people(shared), suppressed(shared)
    _, again = load(shared, text_of(lines), Options("stated", policy))
    assert (people(shared), suppressed(shared)) == before
    assert (again.added, again.updated, again.suppressed) == (0, 0, 0)
    assert again.rows == len(lines)
