"""Whatever readers and admins do, in whatever order: only who confirmed is mailed, and no consent record is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from newsletter.audience.consents import Hand
from newsletter.audience.jobs import Options
from newsletter.audience.notices import is_open
from newsletter.audience.signup import Wish, confirm, forget_unconfirmed, sign_up
from newsletter.audience.subscriptions import pause, resume, unsubscribe, unsubscribe_all
from newsletter.audience.undo import undo
from newsletter.db import Database
from newsletter.models import Consent, ConsentAction, Import, ImportState, List, Notice, NoticeKind, Subscriber
from newsletter.models.schema import upgrade
from newsletter.sending import notices
from newsletter.sending.plan import audience_of
from tests.factories import NOW
from tests.unit.audience.test_import_sequences import emptied
from tests.unit.audience.world import load

EMAILS = [f"{name}@example.org" for name in ("ada", "bob")]
ONE = st.sampled_from(EMAILS)
ACTIONS = ("sign up", "confirm", "unsubscribe", "leave all", "pause", "resume", "import")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(ACTIONS), ONE),
        st.tuples(st.sampled_from(("undo", "wait", "forget")), st.integers(0, 12)),
    ),
    max_size=14,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('readers') / 'newsletter.db'}")
    upgrade(database)
    yield database
    database.close()


class World:
    """Does a step; `agreed` are those who said yes last: by confirming, or to the admin who imports them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = NOW
        self.agreed: set[str] = set()
        self.refused: set[str] = set()

    def do(self, step: tuple[str, Any]) -> None:
        self.now += timedelta(minutes=1)
        match step:
            case ("import", email):
                load(self.database, f"email\n{email}\n", Options("stated"))
                if email not in self.refused:
                    self.agreed.add(email)
            case ("undo", at):
                self.undo(at)
            case ("wait", days):
                self.now += timedelta(days=days)
            case ("forget", _):
                with self.database.write() as session:
                    forget_unconfirmed(session, self.now)
            case (action, email):
                self.read(action, email)

    def undo(self, at: int) -> None:
        done = select(Import.id).where(Import.state == ImportState.DONE).order_by(Import.id)
        with self.database.read() as session:
            numbers = list(session.scalars(done))
        if numbers:
            undo(self.database.write, numbers[at % len(numbers)], self.now)

    def read(self, action: str, email: str) -> None:
        with self.database.write() as session:
            mailing_list = session.scalars(select(List)).one()
            person = session.scalar(select(Subscriber).where(Subscriber.email == email))
            if action == "sign up":
                sign_up(session, mailing_list, Wish(email, "", "fr", "I agree", "fr-1"), Hand(), self.now)
            elif person is None:
                return
            elif action == "confirm":
                asked = select(Notice).where(Notice.subscriber_id == person.id, Notice.kind == NoticeKind.CONFIRM)
                request = session.scalars(asked.order_by(Notice.id.desc())).first()
                if request and is_open(request, self.now) and confirm(session, request, Hand(), self.now):
                    self.agreed.add(email)
                    self.refused.discard(email)
            elif action == "unsubscribe":
                if unsubscribe(session, mailing_list.id, person.id, self.now):
                    self.refuse(email)
            elif action == "leave all":
                unsubscribe_all(session, person, Hand(), self.now)
                self.refuse(email)
            else:
                change = {"pause": pause, "resume": resume}[action]
                change(session, mailing_list.id, person.id, Hand(), self.now)

    def refuse(self, email: str) -> None:
        self.agreed.discard(email)
        self.refused.add(email)

    def mailed(self) -> set[str]:
        with self.database.read() as session:
            list_id = session.scalars(select(List.id)).one()
            return {email for _, email in session.execute(audience_of(list_id, self.now + timedelta(days=400)))}

    def records(self) -> set[tuple[int, ConsentAction, datetime]]:
        """The trail of everybody who did more than have their address typed."""
        with self.database.read() as session:
            strangers = (
                ~select(Consent.id)
                .where(Consent.subscriber_id == Subscriber.id, Consent.action != ConsentAction.SIGN_UP)
                .exists()
            )
            passing = select(Subscriber.id).where(strangers)
            found = session.execute(
                select(Consent.id, Consent.action, Consent.at).where(Consent.subscriber_id.not_in(passing))
            )
            return {(number, action, at) for number, action, at in found}


@settings(max_examples=80, deadline=None)
@given(steps=STEPS)
def test_only_who_confirmed_is_mailed_and_no_consent_record_is_lost(
    shared: Database, steps: list[tuple[str, Any]]
) -> None:
    world = World(emptied(shared))
    for step in steps:
        before = world.records()
        world.do(step)
        assert before <= world.records(), step
        assert world.mailed() <= world.agreed, step
        assert not world.mailed() & world.refused, step


@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_service_mail_goes_once_and_one_reminder_a_week_is_the_most(
    shared: Database, steps: list[tuple[str, Any]]
) -> None:
    world = World(emptied(shared))
    for step in steps:
        world.do(step)
        with shared.write() as session:
            for number, _ in notices.due(session, world.now):
                notice = notices.claim(session, number, world.now)
                assert notices.claim(session, number, world.now) is None
                if notice and notice.kind is NoticeKind.REMINDER:
                    assert notice.email not in world.mailed()
    with shared.read() as session:
        reminders = select(Notice.subscriber_id, Notice.created_at).where(Notice.kind == NoticeKind.REMINDER)
        by_person: dict[int, list[datetime]] = {}
        for person, at in session.execute(reminders.order_by(Notice.id)):
            by_person.setdefault(person, []).append(at)
    for moments in by_person.values():
        assert all(later - earlier >= timedelta(days=7) for earlier, later in pairwise(moments))
