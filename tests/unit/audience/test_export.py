"""What is taken out of a list can be put back, and nothing changes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from newsletter.audience.export import Exported, export_page, to_csv
from newsletter.audience.formulas import escaped, unescaped
from newsletter.audience.lists import get_list
from newsletter.audience.suppressions import suppress
from newsletter.db import Database
from newsletter.models import (
    Base,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    SuppressionReason,
)
from newsletter.text import one_line
from tests.factories import NOW, make_list
from tests.unit.audience.test_import_sequences import emptied, shared
from tests.unit.audience.world import load, people, suppressed

__all__ = ["shared"]

# All that an import lets in: one line, without NUL and halves of pairs.
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).map(lambda text: one_line(text))
SIGNS = st.sampled_from(["=1+1", "'=1", "''-x", "@x", "+32", "'s", "a;b", 'a"b', "a,b|c", "é"])
WORDS = TEXT | SIGNS
TAGS = st.lists(WORDS.filter(bool), max_size=3, unique=True).map(sorted)
ATTRIBUTES = st.dictionaries(st.sampled_from(["ville", "note"]), WORDS.filter(bool), max_size=2)
PERSON = st.tuples(WORDS, WORDS, TAGS, ATTRIBUTES, st.sampled_from(SubscriptionStatus), st.booleans())


def fill(database: Database, persons: list[Any]) -> None:
    with database.write() as session:
        list_id = get_list(session, "vendredi").id
        for at, (first, last, tags, attributes, status, is_suppressed) in enumerate(persons):
            email = f"{'=+-a'[at % 4]}{at}@example.org"
            person = Subscriber(
                email=email, first_name=first, last_name=last, tags=tags, attributes=attributes, created_at=NOW
            )
            session.add(person)
            session.flush()
            left = NOW if status is SubscriptionStatus.UNSUBSCRIBED else None
            session.add(
                Subscription(
                    list_id=list_id,
                    subscriber_id=person.id,
                    status=status,
                    consent=f"=consent {at}",
                    subscribed_at=NOW,
                    unsubscribed_at=left,
                    opted_in_at=NOW,
                    opted_in_ip="192.0.2.1",
                )
            )
            if is_suppressed:
                suppress(session, email, SuppressionReason.COMPLAINED, "test", NOW)


def exported(database: Database) -> list[Exported]:
    with database.read() as session:
        list_id = get_list(session, "vendredi").id
        return export_page(session, list_id, 0, NOW)


def everything(database: Database) -> Any:
    with database.read() as session:
        tables = {table.name: session.execute(select(table)).all() for table in Base.metadata.sorted_tables}
    return {name: rows for name, rows in tables.items() if name not in ("imports", "lists")}


def comes_back_unchanged(database: Database, persons: list[Any]) -> None:
    fill(database, persons)
    before = everything(database)
    _, report = load(database, to_csv([], header=True) + to_csv(exported(database), header=False))
    assert (report.refused, report.added, report.updated, report.suppressed) == (0, 0, 0, 0), report.samples
    assert everything(database) == before


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(persons=st.lists(PERSON, min_size=1, max_size=5))
def test_what_is_exported_and_imported_again_changes_nothing(shared: Database, persons: list[Any]) -> None:
    comes_back_unchanged(emptied(shared), persons)


def test_what_is_exported_and_imported_again_changes_nothing_on_either_database(database: Database) -> None:
    with database.write() as session:
        make_list(session)
    nobody: tuple[str, str, list[str], dict[str, str]] = ("", "", [], {})
    persons = [(*nobody, status, held) for status in SubscriptionStatus for held in (False, True)]
    signs = ("=1+1", "'=x", ["a;b", 'c"d', "e,f"], {"note": "@x"}, SubscriptionStatus.ACTIVE, False)
    comes_back_unchanged(database, [*persons, signs])


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(persons=st.lists(PERSON, min_size=1, max_size=5))
def test_in_an_empty_database_who_was_mailed_is_and_nobody_else(shared: Database, persons: list[Any]) -> None:
    fill(emptied(shared), persons)
    rows = exported(shared)
    text = to_csv([], header=True) + to_csv(rows, header=False)
    emptied(shared)
    load(shared, text)
    found, barred = people(shared), suppressed(shared)
    for row in rows:
        if row.status in ("active", "pending"):
            assert found[row.email]["lists"]["vendredi"][0] == row.status
            assert found[row.email]["names"] == (row.first_name, row.last_name)
            assert (found[row.email]["tags"], found[row.email]["attributes"]) == (row.tags, row.attributes)
        else:
            assert row.email in barred


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
