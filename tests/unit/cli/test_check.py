"""`newsletter check`, and what `newsletter send` makes of its findings."""

from __future__ import annotations

import json
import shlex

import pytest
from sqlalchemy import select

from newsletter.db import Database
from newsletter.models import Subscriber
from newsletter.resources import SAMPLE_ISSUE
from tests.unit.cli.conftest import LATER, Cli

HEAD = "---\ntitle: Vendredi\npreheader: Bonjour\nlanguage: fr\n---\n\n"
WARNED = HEAD.replace("preheader: Bonjour\n", "") + "Bonjour.\n"
WRONG = f"{HEAD}Voir [la suite](#).\n"


def test_the_sample_has_no_finding(cli: Cli) -> None:
    ran = cli("check", SAMPLE_ISSUE)
    assert ran.status == 0
    assert ran.out.splitlines()[-1] == "0 errors, 0 warnings"
    assert not cli.database.exists()


@pytest.mark.usefixtures("world")
def test_for_a_list_only_its_domain_is_found_fault_with(cli: Cli) -> None:
    found = json.loads(cli("check", SAMPLE_ISSUE, "--list", "vendredi", "--json").out)
    assert {finding["code"] for finding in found} <= {"dkim-unsigned", "spf", "dmarc"}


def test_findings_are_told_by_line_with_what_to_do_errors_first(cli: Cli) -> None:
    cli.write("issue.md", WARNED + "\nVoir [la suite](#).\n")
    ran = cli("check", "issue.md")
    assert ran.status == 1
    wrong, warned, counts = ran.out.splitlines()
    assert wrong == (
        "issue.md:8: error link-placeholder: the link “la suite” leads to #, which is no place yet; "
        "put the real address in"
    )
    assert warned.startswith("issue.md: warning preheader: ")
    assert counts == "1 error, 1 warning"


def test_warnings_alone_are_no_failure(cli: Cli) -> None:
    cli.write("issue.md", WARNED)
    assert cli("check", "issue.md").success.endswith("0 errors, 1 warning\n")


def test_json_is_a_list_of_findings(cli: Cli) -> None:
    cli.write("issue.md", WRONG)
    ran = cli("check", "issue.md", "--json")
    assert ran.status == 1
    [finding] = json.loads(ran.out)
    assert (finding["code"], finding["severity"], finding["line"]) == ("link-placeholder", "error", 7)
    assert set(finding) == {"code", "severity", "line", "message", "remedy"}


def test_fixing_mends_the_file_and_nothing_else(cli: Cli) -> None:
    cli.write("issue.md", f"{HEAD}Ça va ? Oui.\n")
    assert "french-spaces" in cli("check", "issue.md").success
    ran = cli("check", "issue.md", "--fix")
    assert ran.out == "0 errors, 0 warnings\n"
    assert cli.files() == {"issue.md": f"{HEAD}Ça va\N{NO-BREAK SPACE}? Oui.\n".encode()}
    assert cli("check", "issue.md", "--fix").success == "0 errors, 0 warnings\n"


@pytest.mark.usefixtures("world")
def test_a_merge_tag_is_counted_for_the_list(cli: Cli, world: Database) -> None:
    with world.write() as session:
        session.scalars(select(Subscriber)).one().first_name = ""
    cli.write("issue.md", f"{HEAD}Bonjour {{{{ subscriber.first_name }}}}.\n")
    out = cli("check", "issue.md", "--list", "vendredi").out
    assert "issue.md:7: error merge-tag: {{ subscriber.first_name }} is empty for 1 of 1 recipients" in out


def test_wrong_input_is_refused(cli: Cli) -> None:
    assert cli.refused("check", "absent.md") == "absent.md: no such file or directory"
    cli.write("issue.md", f"{HEAD}{{{{ subscriber.name\n")
    assert cli.refused("check", "issue.md").startswith("issue.md:7: ")


@pytest.mark.usefixtures("world")
def test_an_unknown_list_is_refused(cli: Cli) -> None:
    assert "there are vendredi, vide" in cli.refused("check", SAMPLE_ISSUE, "--list", "samedi")


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("manner", [("--at", LATER), ("--dry-run",)])
def test_an_error_keeps_an_issue_from_being_sent_whatever_is_accepted(cli: Cli, manner: tuple[str, ...]) -> None:
    cli.write("issue.md", WRONG)
    complaint = cli.refused("send", "issue.md", "--list", "vendredi", *manner, "--accept", "link-placeholder")
    assert complaint == "issue.md: 1 error (link-placeholder) to mend before it can be sent"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("manner", [("--at", LATER), ("--dry-run",)])
def test_a_warning_keeps_an_issue_from_being_sent_until_it_is_accepted(cli: Cli, manner: tuple[str, ...]) -> None:
    cli.write("issue.md", WARNED)
    ran = cli("send", "issue.md", "--list", "vendredi", *manner)
    assert ran.out.startswith("issue.md: warning preheader: ")
    assert ran.complaint.startswith("issue.md: 1 warning (preheader): mend what they name, or accept them with `")
    _, *again = shlex.split(ran.complaint.split("`")[1])
    assert again == ["send", "issue.md", "--list", "vendredi", *manner, "--accept", "preheader"]
    assert cli(*again).status == 0
