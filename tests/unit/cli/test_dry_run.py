"""`newsletter send --dry-run`: who would not get their message, before anybody gets any."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from newsletter.audience.suppressions import suppress
from newsletter.db import Database
from newsletter.models import List, SuppressionReason
from newsletter.resources import SAMPLE_ISSUE
from tests.factories import subscribe_all
from tests.servers.chaos_sink import ChaosSink
from tests.unit.cli.conftest import LATER, Cli

DRY_RUN = ("send", SAMPLE_ISSUE, "--list", "vendredi", "--dry-run")


@pytest.fixture
def sink() -> Iterator[ChaosSink]:
    with ChaosSink() as running:
        yield running


def join(database: Database, *emails: str) -> None:
    """More people on the list “vendredi”."""
    with database.write() as session:
        mailing_list = session.scalars(select(List).where(List.slug == "vendredi")).one()
        subscribe_all(session, mailing_list, [(email, "") for email in emails])


def test_everybody_s_message_is_built_and_nothing_is_sent_or_kept(cli: Cli, world: Database, sink: ChaosSink) -> None:
    join(world, *(f"reader{number}@example.org" for number in range(20)))
    before = cli.rows()
    told = cli(*DRY_RUN, smtp_url=sink.url).success
    assert told.startswith("Dry run: 21 messages for 21 recipients, ")
    assert " MB, built and handed over in " in told
    assert "Nothing was sent.\nThe largest has " in told
    assert told.endswith("Nobody would fail.\n")
    assert cli.rows() == before
    assert sink.accepted() == []


@pytest.mark.usefixtures("world")
def test_one_message_is_not_called_several(cli: Cli, sink: ChaosSink) -> None:
    assert "Dry run: 1 message for 1 recipient, " in cli(*DRY_RUN, smtp_url=sink.url).success


@pytest.mark.usefixtures("world")
def test_json_of_a_dry_run_is_all_it_prints(cli: Cli, sink: ChaosSink) -> None:
    facts = json.loads(cli(*DRY_RUN, "--json", smtp_url=sink.url).success)
    assert (facts["audience"], facts["messages"], facts["failed"], facts["failures"]) == (1, 1, 0, [])
    assert facts["largest_for"] == "ada@example.org"
    assert facts["largest_bytes"] == facts["bytes"] > 30_000


@pytest.mark.usefixtures("world")
def test_whoever_the_server_would_refuse_is_named_with_the_reason_and_the_status_is_1(
    cli: Cli, sink: ChaosSink
) -> None:
    sink.behave(size=20_000)
    ran = cli(*DRY_RUN, smtp_url=sink.url)
    assert ran.status == 1
    assert ran.err == ""
    assert "1 recipient would not get it:" in ran.out
    assert "and the server takes 20000 (SIZE)" in ran.out
    facts = json.loads(cli(*DRY_RUN, "--json", smtp_url=sink.url).out)
    assert [failure["email"] for failure in facts["failures"]] == ["ada@example.org"]


def test_a_long_list_of_failures_is_cut_short_and_json_has_the_rest(
    cli: Cli, world: Database, sink: ChaosSink
) -> None:
    join(world, *(f"reader{number}@example.org" for number in range(29)))
    sink.behave(size=20_000)
    out = cli(*DRY_RUN, smtp_url=sink.url).out
    assert "30 recipients would not get it:" in out
    assert len(re.findall(r"example\.org +the message has", out)) == 20
    assert out.endswith("... and 10 more; --json lists 30.\n")


@pytest.mark.usefixtures("world")
def test_a_server_that_does_not_answer_is_warned_of(cli: Cli) -> None:
    ran = cli(*DRY_RUN, smtp_url="smtp://127.0.0.1:1")
    assert ran.status == 0
    assert ran.err.startswith("warning: the SMTP server smtp://127.0.0.1:1 cannot be used: ")
    assert "what it would refuse is not known" in ran.err


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    "option", [("--at", LATER), ("--now",), ("--hold", "10m"), ("--wait",)], ids=lambda option: option[0]
)
def test_a_dry_run_has_no_time(cli: Cli, option: tuple[str, ...]) -> None:
    complaint = cli.refused(*DRY_RUN, *option)
    assert complaint == "--dry-run sends nothing, at no time: leave --at, --now, --hold and --wait out"


def test_a_dry_run_to_nobody_is_refused(cli: Cli, world: Database, sink: ChaosSink) -> None:
    with world.write() as session:
        suppress(
            session,
            "ada@example.org",
            SuppressionReason.BOUNCED,
            "test",
            datetime.now(UTC),
        )
    for slug in ("vide", "vendredi"):
        complaint = cli("send", SAMPLE_ISSUE, "--list", slug, "--dry-run", smtp_url=sink.url).complaint
        assert complaint == f"nobody is on the list “{slug}”: import subscribers first"


@pytest.mark.usefixtures("world")
def test_a_dry_run_needs_no_broker_and_an_issue_without_faults(cli: Cli) -> None:
    cli.write("issue.md", "Bonjour {{ subscriber.ville }}\n")
    complaint = cli("send", "issue.md", "--list", "vendredi", "--dry-run").complaint
    assert complaint.startswith("issue.md")
