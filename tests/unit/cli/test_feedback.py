from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Cli
from tests.unit.feedback.letters import READER, feedback, letter, report

BOUNCE = report(f"Final-Recipient: rfc822; {READER}\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 gone")


def test_each_file_is_told_as_an_object_on_a_line_of_its_own(cli: Cli) -> None:
    paths = [
        cli.write("bounce.eml", BOUNCE),
        cli.write("complaint.eml", feedback(f"Feedback-Type: abuse\nOriginal-Rcpt-To: {READER}")),
        cli.write("away.eml", letter("Away.", **{"from": READER, "subject": "Out of office"})),
        cli.write("letter.eml", letter("Hello.", **{"from": READER, "subject": "Hello"})),
        cli.write("empty.eml", ""),
    ]
    out = cli("feedback", "read", *paths, "--json").success
    facts = [json.loads(line) for line in out.splitlines()]
    assert facts[0] == {
        "path": "bounce.eml",
        "kind": "bounce",
        "recipients": [
            {"address": READER, "class": "hard", "reason": "unknown-user", "status": "5.1.1", "words": "550 gone"}
        ],
    }
    assert [(one["path"], one["kind"], len(one["recipients"])) for one in facts[1:]] == [
        ("complaint.eml", "complaint", 1),
        ("away.eml", "auto-reply", 0),
        ("letter.eml", "none", 0),
        ("empty.eml", "none", 0),
    ]


def test_people_are_shown_a_table(cli: Cli) -> None:
    out = cli("feedback", "read", cli.write("bounce.eml", BOUNCE), cli.write("other.eml", "x")).success
    assert out.splitlines()[1].split()[:5] == ["bounce.eml", "bounce", READER, "hard", "unknown-user"]
    assert out.splitlines()[2].split()[:3] == ["other.eml", "none", "–"]


@pytest.mark.parametrize(("name", "why"), [("missing.eml", "no such file"), (".", "is a directory")])
def test_a_file_that_cannot_be_read_is_named(cli: Cli, name: str, why: str) -> None:
    complaint = cli.refused("feedback", "read", Path(name))
    assert complaint.startswith(f"{name}: cannot be read")
    assert why in complaint


def test_what_could_not_be_used_is_shown_by_day(cli: Cli) -> None:
    assert json.loads(cli("feedback", "counts", "--json").success) == []
    assert cli("feedback", "counts").success.split()[:4] == ["day", "via", "outcome", "signals"]


def test_listening_without_a_mailbox_says_what_to_set(cli: Cli) -> None:
    assert "bounce_mailbox" in cli.refused("feedback", "listen")
