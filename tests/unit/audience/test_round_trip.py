"""What we export we import again, and nothing changes: into the same list, and into an empty database."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from newsletter.audience.consents import Hand
from newsletter.audience.export import Exported
from newsletter.audience.lists import get_list
from newsletter.audience.past import read_trail
from newsletter.audience.subscribers import get_subscriber
from newsletter.audience.subscriptions import unsubscribe, unsubscribe_all
from newsletter.audience.suppressions import suppress
from newsletter.audience.undo import undo
from newsletter.db import Database
from newsletter.errors import InputError, SourceError
from newsletter.models import Publication, SubscriptionStatus, SuppressionReason
from newsletter.models.schema import upgrade
from tests.factories import NOW, make_list
from tests.servers.postgres import PostgresServer
from tests.unit.audience.audiences import AUDIENCES, csv_of, emptied, everything, exported, fill, json_of, put
from tests.unit.audience.world import load, tables

JANUARY = datetime(2026, 1, 9, tzinfo=UTC)
LAST_WEEK = NOW - timedelta(days=7)
Write = Callable[[list[Exported]], str]
FORMS = st.sampled_from([csv_of, json_of])
HOW = settings(deadline=None, max_examples=20, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('round') / 'newsletter.db'}"
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.create_database(request.getfixturevalue("postgres_template"))
    database = Database(url)
    if request.param == "sqlite":
        upgrade(database)
    yield database
    database.close()


def is_mailed(one: Exported) -> bool:
    return one.status == "active" and one.paused_until is None


@HOW
@given(persons=AUDIENCES, write=FORMS)
def test_an_export_imported_over_the_same_list_changes_nothing(
    shared: Database, persons: list[Any], write: Write
) -> None:
    fill(emptied(shared), persons)
    before = everything(shared)
    _, report = load(shared, write(exported(shared)))
    assert (report.refused, report.added, report.updated, report.suppressed) == (0, 0, 0, 0), report.samples
    assert everything(shared) == before


@HOW
@given(persons=AUDIENCES, write=FORMS)
def test_an_export_imported_into_an_empty_database_gives_the_same_export(
    shared: Database, persons: list[Any], write: Write
) -> None:
    fill(emptied(shared), persons)
    before, text = csv_of(exported(shared)), write(exported(shared))
    emptied(shared)
    _, report = load(shared, text)
    assert (report.refused, report.warnings) == (0, {}), report.samples
    assert csv_of(exported(shared)) == before
    assert tables(shared) == []


@HOW
@given(here=AUDIENCES, there=AUDIENCES)
def test_undone_an_import_of_an_export_leaves_what_was_there_before(
    shared: Database, here: list[Any], there: list[Any]
) -> None:
    fill(emptied(shared), there)
    text = csv_of(exported(shared))
    fill(emptied(shared), here)
    before = everything(shared)
    number, _ = load(shared, text)
    undo(shared.write, number, NOW)
    assert everything(shared) == before


@HOW
@given(here=AUDIENCES, there=AUDIENCES)
def test_an_import_of_an_export_revives_nobody(shared: Database, here: list[Any], there: list[Any]) -> None:
    fill(emptied(shared), there)
    told = {one.email: one for one in exported(shared)}
    text = csv_of(list(told.values()))
    fill(emptied(shared), here)
    before = {one.email: one for one in exported(shared)}
    load(shared, text)
    for one in exported(shared):
        if is_mailed(one):
            known = before.get(one.email)
            assert is_mailed(known) if known else is_mailed(told[one.email])
            assert one.email not in told or told[one.email].suppressed in ("", "unsubscribed")


def two_lists(database: Database) -> None:
    with emptied(database).write() as session:
        make_list(session, session.scalars(select(Publication)).one(), "samedi")


def two_exports(database: Database) -> dict[str, str]:
    """Exports of two lists of the same people, one of whom left everything, and one of whom bounced."""
    two_lists(database)
    for slug in ("vendredi", "samedi"):
        load(database, "email,ville\na@example.org,Mons\nb@example.org,Gand\nc@example.org,\n", slug=slug)
    with database.write() as session:
        unsubscribe_all(session, get_subscriber(session, "a@example.org"), Hand(ip="192.0.2.1"), LAST_WEEK, "trop")
        suppress(session, "b@example.org", SuppressionReason.BOUNCED, "mailbox", LAST_WEEK)
    return {slug: csv_of(exported(database, slug)) for slug in ("vendredi", "samedi")}


def test_several_lists_of_the_same_people_come_back_with_their_suppressions_and_trails(shared: Database) -> None:
    texts = two_exports(shared)
    two_lists(shared)
    for slug, text in texts.items():
        load(shared, text, slug=slug)
    assert {slug: csv_of(exported(shared, slug)) for slug in texts} == texts


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_of_two_lists_imported_one_undone_leaves_the_other_as_it_was_with_nobody_mailed_again(
    shared: Database, order: tuple[int, int]
) -> None:
    texts = two_exports(shared)
    two_lists(shared)
    before = everything(shared)
    numbers = [load(shared, text, slug=slug)[0] for slug, text in texts.items()]
    undo(shared.write, numbers[order[0]], NOW)
    slug = list(texts)[order[1]]
    assert csv_of(exported(shared, slug)) == texts[slug]
    undo(shared.write, numbers[order[1]], NOW)
    assert everything(shared) == before


def export_of(
    shared: Database, email: str, *, status: str = "active", suppressed: str = "", left_at: datetime | None = None
) -> str:
    """An export of one person, who had joined in January."""
    emptied(shared)
    with shared.write() as session:
        place = {"status": SubscriptionStatus(status), "consent": "", "subscribed_at": JANUARY}
        held = {"reason": SuppressionReason(suppressed or "blocked"), "source": "test", "created_at": left_at or NOW}
        put(
            session,
            get_list(session, "vendredi").id,
            email,
            ({}, {**place, "unsubscribed_at": left_at}, held if suppressed else None, []),
        )
    return csv_of(exported(shared))


def standing(database: Database) -> dict[str, tuple[str, str]]:
    return {one.email: (one.status, one.suppressed) for one in exported(database)}


@pytest.mark.parametrize(
    ("status", "suppressed"), [("unsubscribed", ""), ("unsubscribed", "unsubscribed"), ("active", "unsubscribed")]
)
def test_whoever_left_later_than_they_came_here_is_suppressed_and_whoever_came_back_is_not(
    shared: Database, status: str, suppressed: str
) -> None:
    text = export_of(shared, "a@example.org", status=status, suppressed=suppressed, left_at=LAST_WEEK)
    for came, expected in (
        (LAST_WEEK - timedelta(days=1), ("suppressed", "unsubscribed")),
        (LAST_WEEK + timedelta(days=1), ("active", "")),
    ):
        emptied(shared)
        with shared.write() as session:
            place = {"status": SubscriptionStatus.ACTIVE, "consent": "here", "subscribed_at": came}
            put(session, get_list(session, "vendredi").id, "a@example.org", ({}, place, None, []))
        load(shared, text)
        assert standing(shared) == {"a@example.org": expected}


def test_whoever_leaves_after_the_import_stays_on_its_undoing_and_whoever_had_left_goes(
    shared: Database,
) -> None:
    gone = export_of(shared, "gone@example.org", status="unsubscribed", left_at=LAST_WEEK)
    here = export_of(shared, "here@example.org")
    emptied(shared)
    number, _ = load(shared, gone + here.partition("\n")[2])
    with shared.write() as session:
        subscriber = get_subscriber(session, "here@example.org")
        assert unsubscribe(session, get_list(session, "vendredi").id, subscriber.id, NOW)
    assert undo(shared.write, number, NOW).kept_unsubscribed == 1
    assert standing(shared) == {"here@example.org": ("unsubscribed", "")}


def test_a_leaving_in_the_future_has_no_time(shared: Database) -> None:
    text = export_of(shared, "a@example.org", status="unsubscribed", left_at=NOW + timedelta(days=1))
    emptied(shared)
    number, _ = load(shared, text)
    assert [(one.status, one.unsubscribed_at) for one in exported(shared)] == [("unsubscribed", None)]
    undo(shared.write, number, NOW)
    assert exported(shared) == []


def test_a_suppressed_domain_arrives_as_the_suppression_of_each_address(shared: Database) -> None:
    export_of(shared, "a@example.org")
    with shared.write() as session:
        suppress(session, "a@example.org", SuppressionReason.BOUNCED, "mailbox", LAST_WEEK, NOW + timedelta(days=1))
        suppress(session, "@example.org", SuppressionReason.BLOCKED, "by hand", LAST_WEEK)
    text = csv_of(exported(shared))
    emptied(shared)
    load(shared, text)
    assert csv_of(exported(shared)) == text
    assert standing(shared) == {"a@example.org": ("suppressed", "blocked")}


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        (
            "status",
            "unsubscribed",
            "status says “unsubscribed”, the columns beside it “active”: change them together",
        ),
        ("subscription", "gone", "the status “gone” is not understood: write active, pending, unsubscribed"),
        ("suppressed", "bounced", "status says “active”, the columns beside it “suppressed”: change them together"),
        ("tracking", "some", "tracking: “some” is none of off, aggregate, individual"),
        ("paused_until", "13/03/2026", "paused_until: “13/03/2026” is no time: write it as 2026-03-13 07:00"),
        ("trail", '[{"action": "sign-up"}]', 'the trail “[{"action": "sign-up"}]” is not one that'),
        ("trail", "yes", "the trail “yes” is not one that `newsletter export` wrote"),
        ("trail", '[{"action": "x", "at": "2026-03-13", "by": 5}]', "is not one that `newsletter export` wrote"),
    ],
)
def test_what_an_export_of_ours_cannot_say_costs_the_row(
    shared: Database, column: str, cell: str, reason: str
) -> None:
    rows = list(csv.reader(export_of(shared, "a@example.org").splitlines()))
    rows[1][rows[0].index(column)] = cell
    text = StringIO()
    csv.writer(text).writerows(rows)
    emptied(shared)
    _, report = load(shared, text.getvalue())
    assert report.refused == 1
    assert reason in report.samples["refused"][0].words
    assert exported(shared) == []


def test_columns_of_our_own_exports_mean_nothing_in_the_files_of_others(shared: Database) -> None:
    emptied(shared)
    load(shared, "email,trail,consent,subscription\na@example.org,alpine,oral,gold\n")
    assert [one.attributes for one in exported(shared)] == [
        {"consent": "oral", "subscription": "gold", "trail": "alpine"}
    ]


def test_a_fault_in_a_line_of_json_costs_that_one_alone(shared: Database) -> None:
    lines = json_of([one for email in ("a@example.org", "b@example.org") for one in exported_alone(shared, email)])
    first, *others = lines.splitlines()[1:]
    strange = others[0].replace('"email"', '"mail"') + ","
    spoilt = ["[", first, '{"email": ', strange, "[1],", r'{"email": "\ud83d"},', *others]
    emptied(shared)
    _, report = load(shared, "\n".join(spoilt))
    assert [(sample.line, sample.words) for sample in report.samples["refused"]] == [
        (3, "not a person as `newsletter export` writes one"),
        (4, "the first person has no mail: is this another export?"),
        (5, "not a person as `newsletter export` writes one"),
        (6, "there is half a letter in it: an escape such as \\ud83d stands alone"),
    ]
    assert standing(shared) == {"a@example.org": ("active", ""), "b@example.org": ("active", "")}


def exported_alone(database: Database, email: str) -> list[Exported]:
    export_of(database, email)
    return exported(database)


@pytest.mark.parametrize(
    "text", ['[{"email": "a@example.org"}, {"email": "b@example.org"}]', '[\n {\n  "email": 1\n }\n]']
)
def test_json_that_has_not_a_person_a_line_is_refused_with_what_to_do(shared: Database, text: str) -> None:
    emptied(shared)
    with pytest.raises(SourceError, match="not with a person a line"):
        load(shared, text)


@pytest.mark.parametrize(
    "trail", [r'[{"action": "sign-up", "at": "2026-01-01", "wording": "\ud83d"}]', '[{"action": 1}]']
)
def test_no_half_letter_of_a_trail_reaches_the_database(trail: str) -> None:
    with pytest.raises(InputError, match="is not one that"):
        read_trail(trail)
