from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from newsletter.audience.csvfile import open_csv
from newsletter.audience.imports import CHUNK, ImportReport, run_import
from newsletter.audience.lists import get_list, summaries
from newsletter.audience.subscriptions import unsubscribe
from newsletter.db import Database
from newsletter.errors import InputError
from newsletter.models import Import, Subscriber, Subscription, SubscriptionStatus
from tests.factories import make_list


@pytest.fixture(autouse=True)
def _list(database: Database) -> None:
    with database.write() as session:
        make_list(session)


def load(database: Database, text: str, now: datetime) -> ImportReport:
    path = Path("people.csv")
    path.write_text(text, encoding="utf-8")
    with database.write() as session:
        return run_import(session, get_list(session, "vendredi"), open_csv(path), now, lambda _line: None)


def counts(report: ImportReport) -> tuple[int, int, int, int, int]:
    return (
        report.added,
        report.updated,
        report.unchanged,
        report.kept_unsubscribed,
        len(report.faults),
    )


def test_good_rows_go_in_and_bad_ones_are_named_by_line_and_reason(database: Database, now: datetime) -> None:
    report = load(database, "email,ville\nada@example.org,Liège\nnobody\n\nbob@example.org,,x\n", now)
    assert counts(report) == (1, 0, 0, 0, 2)
    assert [(fault.line, fault.reason.split(":")[0]) for fault in report.faults] == [
        (3, "“nobody” is not an email address"),
        (5, "3 cells where the header has 2"),
    ]


def test_the_same_file_twice_changes_nothing(database: Database, now: datetime) -> None:
    text = "Courriel;Prénom;Ville\nada@example.org;Ada;Liège\nbob@example.org;Bob;\n"
    assert counts(load(database, text, now)) == (2, 0, 0, 0, 0)
    assert counts(load(database, text, now)) == (0, 0, 2, 0, 0)
    with database.read() as session:
        ada = session.scalars(select(Subscriber).where(Subscriber.email == "ada@example.org")).one()
        assert session.scalar(select(func.count()).select_from(Subscriber)) == 2
        assert session.scalar(select(func.count()).select_from(Import)) == 2
    assert (ada.first_name, ada.attributes) == ("Ada", {"ville": "Liège"})


def test_a_later_file_fills_in_what_it_knows_and_blanks_nothing(database: Database, now: datetime) -> None:
    load(database, "email,first_name,ville\nada@example.org,Ada,Liège\n", now)
    report = load(database, "email,first_name,ville,langue\nada@example.org,,Namur,fr\n", now)
    assert counts(report) == (0, 1, 0, 0, 0)
    with database.read() as session:
        ada = session.scalars(select(Subscriber)).one()
        names = get_list(session, "vendredi").attribute_names
    assert (ada.first_name, ada.attributes) == ("Ada", {"ville": "Namur", "langue": "fr"})
    assert names == ["langue", "ville"]


def test_an_import_never_brings_back_someone_who_left(database: Database, now: datetime) -> None:
    text = "email,first_name\nada@example.org,Ada\n"
    load(database, text, now)
    with database.write() as session:
        subscription = session.scalars(select(Subscription)).one()
        assert unsubscribe(session, subscription.list_id, subscription.subscriber_id, now)
    assert counts(load(database, text, now + timedelta(days=1))) == (0, 0, 0, 1, 0)
    with database.read() as session:
        subscription = session.scalars(select(Subscription)).one()
        (summary,) = summaries(session)
    assert (subscription.status, subscription.unsubscribed_at) == (SubscriptionStatus.UNSUBSCRIBED, now)
    assert (summary.active, summary.unsubscribed) == (0, 1)


def test_unsubscribing_twice_keeps_the_first_time(database: Database, now: datetime) -> None:
    load(database, "email\nada@example.org\n", now)
    with database.write() as session:
        subscription = session.scalars(select(Subscription)).one()
        assert unsubscribe(session, subscription.list_id, subscription.subscriber_id, now)
        later = now + timedelta(days=1)
        assert not unsubscribe(session, subscription.list_id, subscription.subscriber_id, later)
    with database.read() as session:
        assert session.scalars(select(Subscription)).one().unsubscribed_at == now


def test_a_file_larger_than_a_chunk_goes_in_whole(database: Database, now: datetime) -> None:
    rows = "".join(f"reader{number}@example.org\n" for number in range(2 * CHUNK + 1))
    assert counts(load(database, f"email\n{rows}", now)) == (2 * CHUNK + 1, 0, 0, 0, 0)


def test_a_fault_in_the_middle_of_a_file_leaves_nothing_behind(database: Database, now: datetime) -> None:
    rows = "".join(f"reader{number}@example.org\n" for number in range(CHUNK + 1))
    broken = f'email\n{rows}"' + "x" * 200_000
    with pytest.raises(InputError, match=rf"people.csv:{CHUNK + 3}: not CSV"):
        load(database, broken, now)
    with database.read() as session:
        assert session.scalars(select(Subscriber)).all() == []


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_in_the_header(database: Database, now: datetime, delimiter: str) -> None:
    text = f"Nom{delimiter}E-mail\r\nKing{delimiter} Ada@Example.ORG \r\n"
    load(database, "\ufeff" + text, now)
    with database.read() as session:
        ada = session.scalars(select(Subscriber)).one()
    assert (ada.email, ada.last_name) == ("Ada@example.org", "King")


def test_a_row_may_span_lines_and_later_rows_keep_their_numbers(database: Database, now: datetime) -> None:
    report = load(database, 'email,note\nada@example.org,"one\ntwo"\nnobody,\n', now)
    assert [fault.line for fault in report.faults] == [4]
