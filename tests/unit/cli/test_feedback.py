from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.servers.dovecot import Maildir
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


def test_fetching_says_in_a_line_what_was_there(cli: Cli, maildir: Maildir) -> None:
    maildir.add(BOUNCE, letter("Hello.", **{"from": READER, "subject": "Hello"}))
    out = cli("feedback", "fetch", bounce_fetch_url=maildir.url()).success
    assert out == "2 read: 0 new, 0 deleted, 2 left for people\n"
    assert cli("feedback", "fetch", bounce_fetch_url=maildir.url("pop3")).success == out
    assert cli("feedback", "fetch", bounce_fetch_url=maildir.url("pop3")).success.startswith("0 read")


def test_fetching_without_a_mailbox_says_what_to_set(cli: Cli) -> None:
    assert "set bounce_fetch_url, such as imaps://" in cli("feedback", "fetch").complaint


def test_fetching_with_a_wrong_password_says_what_to_mend_and_not_the_password(cli: Cli, maildir: Maildir) -> None:
    complaint = cli("feedback", "fetch", bounce_fetch_url=maildir.url(password="geheim")).complaint
    assert complaint.startswith("bounce_fetch_url: imap://127.0.0.1:")
    assert "geheim" not in complaint


def test_fetching_reads_the_url_from_a_file_too(cli: Cli, maildir: Maildir) -> None:
    path = cli.write("url", maildir.url() + "\n")
    assert cli("feedback", "fetch", bounce_fetch_url_file=str(path)).success.startswith("0 read")
