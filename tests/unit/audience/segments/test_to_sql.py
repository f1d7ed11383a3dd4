"""Segments in SQL: the same people, on both databases, as when each is asked in turn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from newsletter.audience.segments.show import show
from newsletter.audience.segments.to_sql import condition
from newsletter.audience.segments.tree import Node
from newsletter.db import Database
from newsletter.errors import NotFoundError
from newsletter.models import (
    Delivery,
    DeliveryState,
    Event,
    EventKind,
    Link,
    List,
    Mailing,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    Verdict,
)
from newsletter.models.schema import upgrade
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.plan import audience_of, plan
from newsletter.sending.submit import prepare, submit
from tests.factories import BASE_URL, NOW, make_list, make_publication
from tests.servers.postgres import PostgresServer
from tests.unit.audience.segments.naive import LINKS, MAILINGS, Person, holds, make_person
from tests.unit.audience.segments.trees import TREES

PEOPLE = 40


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path_factory.mktemp('segments') / 'newsletter.db'}"
    if request.param == "postgresql":
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.create_database()
    database = Database(url)
    upgrade(database)
    yield database
    database.close()


@pytest.fixture(scope="module")
def audience(shared: Database) -> dict[str, Person]:
    """People of all kinds, who did all kinds of things with the mailings of their list."""
    random = Random(56)
    people = [make_person(random, number) for number in range(PEOPLE)]
    with shared.write() as session:
        publication = make_publication(session)
        lists = {slug: make_list(session, publication, slug).id for slug in ("vendredi", "lundi")}
        numbers = [_add(session, one, lists) for one in people]
    # The oldest is pruned in the end: of it nobody is asked any more.
    for age in range(MAILINGS, -1, -1):
        with shared.write() as session:
            then = NOW - timedelta(days=age)
            prepared = prepare(session, SAMPLE_ISSUE, "vendredi", base_url=BASE_URL)
            mailing_id = submit(session, prepared, due_at=then, now=then).mailing.id
            assert plan(session, mailing_id, then)
            if age == MAILINGS:
                session.execute(update(Mailing).values(pruned_at=NOW))
            for number, url in enumerate(LINKS, start=1):
                session.execute(
                    update(Link).where(Link.mailing_id == mailing_id, Link.number == number).values(url=url)
                )
            for subscriber_id, one in zip(numbers, people, strict=True):
                _act(session, mailing_id, subscriber_id, one, age)
    return {one.email: one for one in people}


def _add(session: Session, one: Person, lists: dict[str, int]) -> int:
    fields = ("email", "first_name", "last_name", "language", "timezone", "attributes", "tags")
    added = Subscriber(**{name: getattr(one, name) for name in fields}, created_at=NOW)
    session.add(added)
    session.flush()
    for slug, list_id in lists.items():
        status = SubscriptionStatus.ACTIVE if slug in one.lists else SubscriptionStatus.UNSUBSCRIBED
        # Where it is known when somebody signed up, that counts, not when we heard of it.
        known = {"opted_in_at": one.subscribed_at, "subscribed_at": NOW}
        told = {"subscribed_at": one.subscribed_at}
        session.add(
            Subscription(
                list_id=list_id,
                subscriber_id=added.id,
                status=status,
                consent="tests",
                **(known if added.id % 2 else told),
            )
        )
    session.flush()
    return added.id


def _act(session: Session, mailing_id: int, subscriber_id: int, one: Person, age: int) -> None:
    delivery = session.scalars(
        select(Delivery).where(Delivery.mailing_id == mailing_id, Delivery.subscriber_id == subscriber_id)
    ).one()
    did = one.did[age] if age < MAILINGS else {"opened", "clicked", "received"}
    delivery.state = DeliveryState.SENT if "received" in did else DeliveryState.REJECTED
    seen = [(EventKind.OPEN, None, Verdict.MACHINE), (EventKind.CLICK, 1, Verdict.PROXY)]
    if "opened" in did:
        seen += [(EventKind.OPEN, None, Verdict.PERSON)] * 2
    if "clicked" in did:
        followed = [number + 1 for number in one.clicked] if age < MAILINGS else []
        seen += [(EventKind.CLICK, number, Verdict.PERSON) for number in (*followed, None)]
    session.add_all(
        Event(
            mailing_id=mailing_id,
            delivery_id=delivery.id,
            kind=kind,
            link_number=number,
            verdict=verdict,
            occurred_at=NOW,
            source=f"{delivery.id} {at}",
        )
        for at, (kind, number, verdict) in enumerate(seen)
    )
    # Somebody of whom nothing may be kept.
    session.add(
        Event(mailing_id=mailing_id, kind=EventKind.OPEN, occurred_at=NOW, source=f"{mailing_id} {subscriber_id} x")
    )


def found(database: Database, expression: str) -> set[str]:
    with database.read() as session:
        list_id = session.scalars(select(List.id).where(List.slug == "vendredi")).one()
        wanted = audience_of(list_id, NOW, condition(session, expression, list_id, NOW))
        return set(session.scalars(wanted.with_only_columns(Subscriber.email)))


@settings(deadline=None, max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=TREES)
def test_a_segment_holds_whom_it_holds_when_each_is_asked_in_turn(
    shared: Database, audience: dict[str, Person], tree: Node
) -> None:
    assert found(shared, show(tree)) == {email for email, one in audience.items() if holds(tree, one)}


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=30))
@pytest.mark.usefixtures("audience")
def test_no_text_breaks_a_query(shared: Database, text: str) -> None:
    quoted = '"' + text.replace('"', '""') + '"'
    found(shared, f"city = {quoted} or city contains {quoted} or tag {quoted} or clicked link {quoted}")
    name = text.replace('"', "").replace("\\", "")
    if name:
        found(shared, f'attribute "{name}" = {quoted} or attribute "{name}" > 1 or attribute "{name}" = yes')


def test_no_expression_is_everybody(shared: Database, audience: dict[str, Person]) -> None:
    with shared.read() as session:
        list_id = session.scalars(select(List.id).where(List.slug == "vendredi")).one()
        wanted = audience_of(list_id, NOW, condition(session, None, list_id, NOW))
        assert len(session.execute(wanted).all()) == len(audience)


@pytest.mark.usefixtures("audience")
def test_of_a_list_without_mailings_nobody_opened_any_nor_all_of_the_last(shared: Database) -> None:
    with shared.read() as session:
        list_id = session.scalars(select(List.id).where(List.slug == "lundi")).one()
        everyone = len(session.execute(audience_of(list_id, NOW)).all())
        for expression, count in (("any", 0), ("all", 0), ("none", everyone)):
            narrowed = condition(session, f"opened {expression} of last 3", list_id, NOW)
            assert len(session.execute(audience_of(list_id, NOW, narrowed)).all()) == count


@pytest.mark.usefixtures("audience")
def test_a_list_that_nobody_knows_is_named(shared: Database) -> None:
    with pytest.raises(NotFoundError, match="there is no list “mardi”"):
        found(shared, 'on list "mardi"')


@pytest.mark.usefixtures("audience")
def test_case_does_not_matter_and_accents_do(shared: Database, audience: dict[str, Person]) -> None:
    same = {email for email, one in audience.items() if one.attributes.get("city") in ("Liège", "LIÈGE")}
    assert found(shared, 'city = "liÈge"') == same
    assert found(shared, 'city = "LIEGE"').isdisjoint(same)


@pytest.mark.usefixtures("audience")
def test_an_expression_as_long_and_as_deep_as_allowed_can_be_asked(shared: Database) -> None:
    letters = "".join(map(chr, range(0x430, 0x450)))
    several = " or ".join(f'city = "{letters}{number}"' for number in range(40))
    assert found(shared, f'{"not (" * 9}not city contains "x" and ({several}){")" * 9}') is not None
