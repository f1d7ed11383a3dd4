from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from newsletter.audience.files.source import open_source
from newsletter.audience.imports import discard, preview, resume, run, run_import, stage
from newsletter.audience.jobs import Options
from newsletter.audience.lists import get_list, summaries
from newsletter.audience.profile import Conflicts
from newsletter.audience.report import Report
from newsletter.audience.rows import MAX_NAMES
from newsletter.audience.segments.saved import expression_of
from newsletter.audience.subscriptions import unsubscribe
from newsletter.audience.suppressions import suppress
from newsletter.audience.undo import undo
from newsletter.audience.weighing import CHUNK
from newsletter.db import Database
from newsletter.errors import InputError, SourceError
from newsletter.models import (
    Import,
    Publication,
    Subscriber,
    Subscription,
    SubscriptionStatus,
    SuppressionReason,
)
from tests.factories import DIGEST, make_list
from tests.unit.audience.world import STATED, load, people, staged, suppressed, tables

MIXED = (
    "email,first_name,status\nada@example.org,Ada,subscribed\nbob@example.org,Bob,unsubscribed\n"
    "eve@example.org,Eve,cleaned\nleo@example.org,Leo,complained\nmax@example.org,Max,pending\n"
)


@pytest.fixture(autouse=True)
def _list(database: Database) -> None:
    with database.write() as session:
        make_list(session)


def counts(report: Report) -> dict[str, int]:
    return {name: fact for name, fact in report.facts().items() if isinstance(fact, int) and fact}


def test_good_rows_go_in_and_bad_ones_are_named_by_line_and_reason(database: Database) -> None:
    _, report = load(database, "email,ville\nada@example.org,Liège\nnobody\n\nbob@example.org,,x\n")
    assert counts(report) == {"rows": 3, "added": 1, "refused": 2}
    assert [(sample.line, sample.words.split(":")[0]) for sample in report.samples["refused"]] == [
        (3, "“nobody” is not an email address"),
        (5, "3 cells where the header has 2"),
    ]


def test_the_same_file_twice_changes_nothing(database: Database) -> None:
    text = "Courriel;Prénom;Ville\nada@example.org;Ada;Liège\nbob@example.org;Bob;\n"
    assert counts(load(database, text)[1]) == {"rows": 2, "added": 2}
    before = people(database)
    assert counts(load(database, text)[1]) == {"rows": 2, "unchanged": 2}
    assert people(database) == before
    assert before["ada@example.org"]["attributes"] == {"ville": "Liège"}
    assert tables(database) == []


def test_a_later_file_fills_in_what_it_knows_and_blanks_nothing(database: Database) -> None:
    load(database, "email,first_name,ville\nada@example.org,Ada,Liège\n")
    _, report = load(database, "email,first_name,ville,langue\nada@example.org,,Namur,fr\n")
    assert counts(report) == {"rows": 1, "updated": 1, "conflicting": 1}
    ada = people(database)["ada@example.org"]
    assert (ada["names"], ada["attributes"]) == (("Ada", ""), {"ville": "Namur"})
    assert ada["locale"] == ("fr", "")
    with database.read() as session:
        assert get_list(session, "vendredi").attribute_names == ["ville"]


@pytest.mark.parametrize(
    ("policy", "ville", "language", "tags"),
    [
        (Conflicts.KEEP, "Liège", "", ["presse"]),
        (Conflicts.FILL, "Liège", "fr", ["presse", "vip"]),
        (Conflicts.OVERWRITE, "Namur", "fr", ["presse", "vip"]),
    ],
)
def test_a_conflict_is_settled_as_it_was_asked(
    database: Database, policy: Conflicts, ville: str, language: str, tags: list[str]
) -> None:
    load(database, "email,ville,tags\nada@example.org,Liège,presse\n")
    _, report = load(
        database, "email,ville,langue,tags\nada@example.org,Namur,fr,vip\n", Options("stated", conflicts=policy)
    )
    ada = people(database)["ada@example.org"]
    assert (ada["attributes"]["ville"], ada["locale"][0], ada["tags"]) == (ville, language, tags)
    assert (report.conflicting, report.samples["conflicting"][0].words) == (1, "ada@example.org")


def test_an_import_never_brings_back_someone_who_left(database: Database, now: datetime) -> None:
    text = "email,first_name,status\nada@example.org,Ada,subscribed\n"
    load(database, text)
    with database.write() as session:
        subscription = session.scalars(select(Subscription)).one()
        assert unsubscribe(session, subscription.list_id, subscription.subscriber_id, now)
    _, report = load(database, text.replace("Ada", "Augusta"))
    assert counts(report) == {"rows": 1, "kept_unsubscribed": 1}
    with database.read() as session:
        subscription = session.scalars(select(Subscription)).one()
        (summary,) = summaries(session)
    assert (subscription.status, subscription.unsubscribed_at) == (SubscriptionStatus.UNSUBSCRIBED, now)
    assert (summary.active, summary.unsubscribed) == (0, 1)
    assert people(database)["ada@example.org"]["names"] == ("Ada", "")


def test_an_import_never_brings_back_someone_who_is_suppressed(database: Database, now: datetime) -> None:
    with database.write() as session:
        suppress(session, "ada@example.org", SuppressionReason.COMPLAINED, "test", now)
    _, report = load(database, "email,status\nada@example.org,subscribed\nADA@example.org,cleaned\n")
    assert report.kept_suppressed == 1
    assert "ada@example.org" not in people(database)
    assert suppressed(database)["ada@example.org"] == "test"


def test_who_left_another_system_is_suppressed_here_and_who_has_not_confirmed_waits(database: Database) -> None:
    load(database, "email\nbob@example.org\n")
    _, report = load(database, MIXED)
    assert counts(report) == {"rows": 5, "added": 2, "suppressed": 3}
    assert suppressed(database) == {
        "bob@example.org": "import of people.csv",
        "eve@example.org": "import of people.csv",
        "leo@example.org": "import of people.csv",
    }
    found = {email: one["lists"].get("vendredi", ("",))[0] for email, one in people(database).items()}
    assert found == {"ada@example.org": "active", "bob@example.org": "active", "max@example.org": "pending"}


def test_of_two_rows_about_one_address_the_graver_status_counts_else_the_first(database: Database) -> None:
    text = (
        "email,first_name,status\nada@example.org,Ada,subscribed\nada@EXAMPLE.org,Augusta,subscribed\n"
        "bob@example.org,Bob,subscribed\nbob@example.org,Bob,unsubscribed\n"
    )
    _, report = load(database, text)
    assert counts(report) == {"rows": 4, "added": 1, "suppressed": 1, "duplicates": 2}
    assert [(sample.line, sample.words) for sample in report.samples["duplicates"]] == [
        (3, "ada@example.org stands on line 2 already"),
        (4, "bob@example.org stands on line 5 already"),
    ]
    assert list(people(database)) == ["ada@example.org"]
    assert people(database)["ada@example.org"]["names"] == ("Ada", "")


def test_consent_is_kept_with_each_row_as_it_was_stated_and_as_the_file_tells_it(database: Database) -> None:
    load(
        database,
        "email,optin_time,optin_ip,confirm_time\nada@example.org,2024-01-15T10:00:00+01:00,192.0.2.1,2024-01-16\n",
    )
    with database.read() as session:
        place = session.scalars(select(Subscription)).one()
    assert (place.consent, place.opted_in_ip, place.confirmed_ip) == ("signed up at the stand", "192.0.2.1", None)
    assert place.opted_in_at == datetime(2024, 1, 15, 9, tzinfo=UTC)
    assert place.confirmed_at == datetime(2024, 1, 16, tzinfo=UTC)


def test_a_file_that_does_not_say_who_agreed_needs_that_stated(database: Database) -> None:
    with pytest.raises(InputError, match="--consent"):
        load(database, "email\nada@example.org\n", Options(consent="  "))
    load(database, MIXED, Options())
    assert people(database)["ada@example.org"]["lists"]["vendredi"] == ("active", "subscribed in people.csv")


def test_someone_of_another_list_joins_with_what_the_file_knows(database: Database) -> None:
    load(database, "email,ville\nada@example.org,Mons\n")
    with database.write() as session:
        make_list(session, session.scalars(select(Publication)).one(), "samedi")
    _, report = load(database, "email,ville\nada@example.org,Gand\n", slug="samedi")
    assert counts(report) == {"rows": 1, "added": 1, "conflicting": 1}
    ada = people(database)["ada@example.org"]
    assert set(ada["lists"]) == {"vendredi", "samedi"}
    assert ada["attributes"] == {"ville": "Gand"}


def test_a_preview_says_what_a_run_then_does_and_changes_nothing(database: Database) -> None:
    load(database, "email,ville\nada@example.org,Mons\nbob@example.org,Mons\n")
    before = people(database)
    number = staged(database, "email,ville\nada@example.org,Gand\nbob@example.org,Mons\neve@example.org,\nnobody,\n")
    promised = preview(database.write, number)
    assert people(database) == before
    assert run(database.write, number, datetime.now(UTC)).facts() == promised.facts()
    assert counts(promised) == {
        "rows": 4, "added": 1, "updated": 1, "unchanged": 1, "refused": 1, "conflicting": 1,
    }  # fmt: skip


def test_a_staged_import_can_be_forgotten(database: Database) -> None:
    discard(database.write, staged(database, "email\nada@example.org\n"))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Import)) == 0
    assert tables(database) == []


def test_a_file_larger_than_a_chunk_goes_in_whole_each_person_once(database: Database) -> None:
    rows = "".join(f"reader{number}@example.org\n" for number in range(CHUNK + 10))
    assert counts(load(database, f"email\n{rows}reader7@example.org\n")[1]) == {
        "rows": CHUNK + 11, "added": CHUNK + 10, "duplicates": 1,
    }  # fmt: skip
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Subscriber)) == CHUNK + 10


def test_a_file_that_turns_out_to_be_no_table_leaves_nothing_behind(database: Database) -> None:
    with pytest.raises(SourceError, match=r"people.csv:3: a line of more than"):
        load(database, "email\nada@example.org\n" + "x" * (1 << 24))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Import)) == 0
    assert (people(database), tables(database)) == ({}, [])


def test_a_small_import_may_share_a_transaction_with_other_work(database: Database, now: datetime) -> None:
    Path("people.csv").write_text("email\nada@example.org\n", encoding="utf-8")
    with database.write() as session:
        report = run_import(
            session, get_list(session, "vendredi"), open_source(Path("people.csv")), now, STATED, DIGEST
        )
        assert report.added == 1
        session.rollback()
    assert people(database) == {}


def test_rows_that_were_lost_are_read_again_from_the_same_file_alone(database: Database, now: datetime) -> None:
    number = staged(database, "email\nada@example.org\n")
    with database.write() as session:
        session.connection().exec_driver_sql(f"DROP TABLE import_{number}_rows")
    Path("people.csv").write_text("email\neve@example.org\n", encoding="utf-8")
    with pytest.raises(InputError, match=f"is no longer the file of import {number}"):
        resume(database.write, number, DIGEST, now)
    Path("people.csv").write_text("email\nada@example.org\n", encoding="utf-8")
    assert resume(database.write, number, DIGEST, now).added == 1


def test_unsubscribing_twice_keeps_the_first_time(database: Database, now: datetime) -> None:
    load(database, "email\nada@example.org\n")
    with database.write() as session:
        subscription = session.scalars(select(Subscription)).one()
        assert unsubscribe(session, subscription.list_id, subscription.subscriber_id, now)
        later = now + timedelta(days=1)
        assert not unsubscribe(session, subscription.list_id, subscription.subscriber_id, later)
    with database.read() as session:
        assert session.scalars(select(Subscription)).one().unsubscribed_at == now


def test_percent_signs_and_quotes_in_addresses_are_letters_like_others(database: Database) -> None:
    load(database, "email,note\no'hara%s@example.org,100 % \\'x\\N\n")
    assert people(database)["o'hara%s@example.org"]["attributes"] == {"note": "100 % \\'x\\N"}


def test_progress_tells_how_far_reading_and_putting_in_have_come(database: Database, now: datetime) -> None:
    heard = []
    Path("people.csv").write_text("email\nada@example.org\n", encoding="utf-8")
    with database.read() as session:
        list_id = get_list(session, "vendredi").id
    source = open_source(Path("people.csv"))
    number = stage(database.write, list_id, source, STATED, DIGEST, now, lambda *said: heard.append(said))
    run(database.write, number, now, lambda *said: heard.append(said))
    assert heard[0] == ("Reading", source.size, source.size)
    assert heard[-1] == ("Putting in", 1, 1)


def test_attributes_of_a_column_of_json_are_known_to_segments_and_templates_and_go_with_their_import(
    database: Database, now: datetime
) -> None:
    load(database, "email,ville\na@y.org,Mons\n")
    number, _ = load(
        database,
        "uuid,email,name,attributes,status\n"
        'u1,a@y.org,Ada,"{""city"": ""Liège"", ""vip"": true, ""blank"": """"}",enabled\n'
        'u2,not an address,Bob,"{""refused"": 1}",enabled\n'
        'u3,c@y.org,Cleo,"{""language"": ""fr"", ""plan"": ""free""}",enabled\n',
    )
    with database.read() as session:
        assert get_list(session, "vendredi").attribute_names == ["city", "plan", "ville", "vip"]
        assert expression_of(session, 'plan = "free" and vip = yes')
    undo(database.write, number, now)
    with database.read() as session:
        assert get_list(session, "vendredi").attribute_names == ["ville"]


def test_of_attributes_in_json_no_more_than_a_thousand_names_are_listed(database: Database) -> None:
    rows = "".join(f'u{n},a{n}@y.org,,"{{""n{n}"": 1}}",enabled\n' for n in range(MAX_NAMES + 50))
    _, report = load(database, f"uuid,email,name,attributes,status\n{rows}")
    assert report.added == MAX_NAMES + 50
    with database.read() as session:
        assert len(get_list(session, "vendredi").attribute_names) == MAX_NAMES
