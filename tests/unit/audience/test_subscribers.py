"""People found by the beginning of their address, page by page, by index alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, text
from sqlalchemy.orm import Session

from newsletter.audience.subscribers import find_subscribers
from newsletter.db import Database, is_postgresql
from newsletter.models import Subscriber
from tests.factories import NOW, make_list, subscribe_all

NAMES = ("ada", "Ada", "ADA", "ada.king", "adam", "ad_a", "ad%a", "a-da", "aDb", "Béa", "béa", "zoé", "0ada", "b")


@pytest.fixture
def people(database: Database) -> Database:
    with database.write() as session:
        subscribe_all(session, make_list(session), [(f"{name}@example.org", "") for name in NAMES])
    return database


def found(
    session: Session, search: str = "", after: str = "", limit: int = 100, list_id: int | None = None
) -> list[str]:
    return [one.email for one in find_subscribers(session, search, after, limit, list_id)]


def explained(session: Session, search: str, after: str) -> str:
    """How the database reads a page."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        asked.append((statement, parameters))

    connection = session.connection()
    event.listen(connection, "before_cursor_execute", note)
    found(session, search, after, limit=50)
    event.remove(connection, "before_cursor_execute", note)
    (statement, parameters), *others = asked
    assert not others
    how = "EXPLAIN (ANALYZE, COSTS OFF) " if is_postgresql(session) else "EXPLAIN QUERY PLAN "
    return "\n".join(str(row[-1]) for row in connection.exec_driver_sql(how + statement, parameters))


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    search=st.text(st.sampled_from("aAdD_%.-é@0k"), max_size=4),
    limit=st.integers(1, 5),
    small=st.sampled_from([None, 0, 100]),
)
def test_pages_show_everyone_whose_address_begins_so_once_whatever_the_capitals(
    people: Database, search: str, limit: int, small: int | None
) -> None:
    wanted = {f"{name}@example.org" for name in NAMES if f"{name}@example.org".lower().startswith(search.lower())}
    list_id = 1 if small is not None else None
    shown: list[str] = []
    # A list that is small is read otherwise than one that is not, or all people together.
    with people.read() as session, pytest.MonkeyPatch.context() as patch:
        patch.setattr("newsletter.audience.subscribers._SMALL", small)
        while page := found(session, search, shown[-1] if shown else "", limit, list_id):
            assert len(page) <= limit
            shown += page
    assert len(shown) == len(wanted)
    assert set(shown) == wanted
    assert [one.lower().encode() for one in shown] == sorted(one.lower().encode() for one in shown)


def test_a_page_goes_on_behind_an_address_that_is_gone(people: Database) -> None:
    with people.read() as session:
        assert found(session, "ada", after="ada.l@example.org") == [
            "ADA@example.org", "Ada@example.org", "ada@example.org", "adam@example.org",
        ]  # fmt: skip


@pytest.mark.parametrize("search", ["reader.1", "READER.1", ""])
@pytest.mark.parametrize("after", ["", "reader.11@example.org"])
def test_a_page_is_read_by_index_alone(database: Database, search: str, after: str) -> None:
    with database.write() as session:
        rows = [{"email": f"reader.{number}@example.org", "created_at": NOW} for number in range(3000)]
        session.execute(insert(Subscriber), rows)
        session.execute(text("ANALYZE"))
        plan, is_postgres = explained(session, search, after), is_postgresql(session)
    assert "ix_subscribers_folded_email" in plan
    assert not re.search(r"Seq Scan|SCAN subscribers|TEMP B-TREE FOR ORDER BY|->  Sort ", plan), plan
    if is_postgres:
        read = re.search(r"Index Scan.*actual.* rows=([0-9]+)", plan)
        assert read
        assert int(read[1]) <= 51
