"""Segments from the command line: saved, counted, looked at, sent to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from newsletter.db import Database
from newsletter.models import Delivery, Mailing, Subscriber
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.plan import plan
from tests.unit.cli.conftest import Cli

PEOPLE = (
    "email,first_name,ville,score,langue,tags\n"
    "bob@example.org,Bob,Liège,9,fr,presse\n"
    "eve@example.org,Eve,LIÈGE,x,fr-BE,\n"
    "tom@example.org,Tom,Mons,12,nl,vip\n"
)
LATER = "2090-01-06T08:00"


@pytest.fixture
def people(cli: Cli, world: Database) -> Database:
    Path("people.csv").write_text(PEOPLE, encoding="utf-8")
    cli("import", "people.csv", "--list", "vendredi", "--consent", "tests")
    return world


@pytest.mark.usefixtures("people")
def test_a_segment_is_counted_and_sampled(cli: Cli) -> None:
    expression = 'ville = "liège" and not tag "presse"'
    counted = json.loads(cli("segment", "count", expression, "--list", "vendredi", "--json").success)
    assert counted == {"list": "vendredi", "expression": expression, "count": 1}
    assert (
        "2 subscribers of “vendredi”: ville"
        in cli("segment", "count", 'ville starts with "L"', "--list", "vendredi").success
    )
    shown = json.loads(cli("segment", "sample", "score > 1", "--list", "vendredi", "--limit", "1", "--json").success)
    assert [(one["email"], one["language"]) for one in shown] == [("bob@example.org", "fr")]
    assert "tom@example.org" in cli("segment", "sample", "score > 1", "--list", "vendredi").success


@pytest.mark.usefixtures("people")
def test_a_saved_segment_goes_by_its_short_name_until_it_is_forgotten(cli: Cli) -> None:
    assert cli("segment", "add", "liege", ' ville = "Liège" ', "--name", "De Liège").success
    kept = [{"slug": "liege", "name": "De Liège", "expression": 'ville = "Liège"'}]
    assert json.loads(cli("segment", "ls", "--json").success) == kept
    assert "De Liège" in cli("segment", "ls").success
    assert json.loads(cli("segment", "count", "liege", "--list", "vendredi", "--json").success)["count"] == 2
    assert cli.refused("segment", "add", "liege", 'ville = "x"') == "there is a segment “liege” already"
    assert "not a short name" in cli.refused("segment", "add", "De Liège", 'ville = "x"')
    assert "forgotten" in cli("segment", "rm", "liege").success
    assert "there is no segment “liege”; add one with" in cli.refused("segment", "rm", "liege")
    assert "there is no segment “liege”" in cli.refused("segment", "count", "liege", "--list", "vendredi")


@pytest.mark.usefixtures("people")
def test_a_mistake_is_pointed_at(cli: Cli) -> None:
    ran = cli("segment", "count", 'vile = "Liège"', "--list", "vendredi")
    assert (ran.status, ran.out) == (2, "")
    line, pointer, complaint = ran.err.splitlines()
    assert (line, pointer) == ('  vile = "Liège"', "  ^")
    assert complaint.startswith("newsletter: segment, column 1: “vile” is not known: did you mean ville?")


def test_a_mailing_goes_to_the_segment_as_it_was_when_it_was_scheduled(cli: Cli, people: Database) -> None:
    cli("segment", "add", "liege", 'ville = "Liège"')
    send = ("send", SAMPLE_ISSUE, "--list", "vendredi", "--segment", "liege")
    told = cli(*send, "--at", LATER).success
    assert "goes to 2 subscribers of “vendredi”" in told
    assert 'it goes to this segment: ville = "Liège"' in told
    cli("segment", "rm", "liege")
    assert json.loads(cli("mailing", "show", "1", "--json").success)["segment"] == 'ville = "Liège"'
    assert 'ville = "Liège"' in cli("mailing", "show", "1").success
    assert 'ville = "Liège"' in cli("mailing", "ls").success
    with people.write() as session:
        mailing = session.get_one(Mailing, 1)
        assert plan(session, 1, mailing.due_at)
        assert mailing.audience_size == 2
        emails = select(Subscriber.email).join(Delivery, Delivery.subscriber_id == Subscriber.id)
        assert set(session.scalars(emails)) == {"bob@example.org", "eve@example.org"}


@pytest.mark.usefixtures("people")
def test_checks_look_at_the_segment_alone(cli: Cli) -> None:
    head = SAMPLE_ISSUE.read_text(encoding="utf-8").split("---\n")[1]
    cli.write("issue.md", f"---\n{head}---\n\nBonjour {{{{ subscriber.ville }}}}, bonne lecture.\n")
    everyone = cli("send", "issue.md", "--list", "vendredi", "--at", LATER)
    assert "{{ subscriber.ville }} is empty for 1 of 4 recipients" in everyone.out
    narrowed = cli("send", "issue.md", "--list", "vendredi", "--at", LATER, "--segment", "ville is set")
    assert "is empty for" not in narrowed.out


@pytest.mark.usefixtures("people")
def test_nobody_in_the_segment_now_is_told_before_anything_is_scheduled(cli: Cli) -> None:
    send = ("send", SAMPLE_ISSUE, "--list", "vendredi", "--segment", 'ville = "Gand"')
    ran = cli(*send, "--dry-run")
    complaint = 'newsletter: nobody on the list “vendredi” is in the segment now: ville = "Gand"'
    assert (ran.status, ran.err.splitlines()[-1]) == (2, complaint)
