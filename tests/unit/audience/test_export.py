"""A list taken out: who is in it, and how they are written down."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from newsletter.audience.export import Exported, export_page
from newsletter.audience.formulas import escaped, unescaped
from newsletter.audience.lists import get_list
from newsletter.audience.suppressions import suppress
from newsletter.db import Database
from newsletter.models import (
    Subscriber,
    Subscription,
    SubscriptionStatus,
    SuppressionReason,
)
from tests.factories import NOW, make_list
from tests.unit.audience.world import load


def exported(database: Database) -> list[Exported]:
    with database.read() as session:
        list_id = get_list(session, "vendredi").id
        return export_page(session, list_id, 0, NOW)


@given(st.text("'=+-@ab\t", max_size=5))
def test_an_escaped_cell_is_no_formula_and_comes_back(cell: str) -> None:
    assert not escaped(cell).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unescaped(escaped(cell)) == cell


def test_suppressed_people_are_shown_as_such_by_address_and_by_domain_while_it_holds(database: Database) -> None:
    with database.write() as session:
        make_list(session)
        for address, until in (("a@one.org", None), ("@two.org", None), ("c@three.org", NOW)):
            suppress(session, address, SuppressionReason.BLOCKED, "test", NOW - timedelta(1), until)
    load(database, "email\nx@y.org\n")
    with database.write() as session:
        list_id = get_list(session, "vendredi").id
        for email in ("a@one.org", "b@two.org", "c@three.org"):
            person = Subscriber(email=email, created_at=NOW)
            session.add(person)
            session.flush()
            session.add(
                Subscription(
                    list_id=list_id,
                    subscriber_id=person.id,
                    status=SubscriptionStatus.ACTIVE,
                    consent="",
                    subscribed_at=NOW,
                )
            )
    assert [(row.email, row.status, row.suppressed) for row in exported(database)] == [
        ("x@y.org", "active", ""),
        ("a@one.org", "suppressed", "blocked"),
        ("b@two.org", "suppressed", "blocked"),
        ("c@three.org", "active", ""),
    ]


def test_a_condition_narrows_an_export(database: Database) -> None:
    with database.write() as session:
        make_list(session)
    load(database, "email,first_name\na@y.org,A\nb@y.org,B\n")
    with database.read() as session:
        found = export_page(session, get_list(session, "vendredi").id, 0, NOW, Subscriber.first_name == "B")
    assert [row.email for row in found] == ["b@y.org"]
