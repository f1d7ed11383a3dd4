"""SpamAssassin's word: its own where it is installed, else said by a program that writes what it writes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from newsletter.preflight import spam
from newsletter.preflight.finding import Severity
from newsletter.preflight.spam import check_spam
from newsletter.rendering.compile import Masthead
from newsletter.rendering.issue_file import read_issue
from newsletter.resources import SAMPLE_ISSUE
from newsletter.sending.message import Addressee, MessageBuilder, Sender
from newsletter.tracking.tokens import Tokens
from tests.factories import NOW

MESSAGE = b"Subject: Vendredi\r\n\r\nBonjour.\r\n"
REPORT = """Content analysis details:   ({score} points, 5.0 required)

 pts rule name              description
---- ---------------------- --------------------------------------------------
-1.0 MAILING_LIST_MULTI     Multiple indicators imply a widely-seen list
                            manager
 0.0 HTML_MESSAGE           BODY: HTML included in message
 0.7 HTML_FONT_LOW_CONTRAST BODY: HTML font color similar or identical to
                            background
 2.7 MISSING_DATE           Missing Date: header
1000 GTUBE
"""
# What SpamAssassin takes for spam by agreement (GTUBE).
GTUBE = MESSAGE + b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X\r\n"
SPAMASSASSIN = shutil.which("spamassassin")


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all there is on the PATH, with nothing of SpamAssassin in it."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "cat").symlink_to(shutil.which("cat") or "/bin/cat")
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home of one for whom SpamAssassin itself is on the PATH."""
    if SPAMASSASSIN is None:
        pytest.skip("SpamAssassin is not installed")
    monkeypatch.setenv("PATH", f"{Path(SPAMASSASSIN).parent}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def install(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def scoring(score: str) -> str:
    return f"cat\ncat <<'END'\n{REPORT.format(score=score)}\nEND"


@pytest.mark.parametrize("name", ["spamassassin", "spamc"])
@pytest.mark.parametrize(("score", "severity"), [("5.1", Severity.ERROR), ("3.1", Severity.WARNING)])
def test_a_message_that_scores_is_told_with_the_rules_it_broke(
    programs: Path, name: str, score: str, severity: Severity
) -> None:
    install(programs, name, scoring(score))
    [found] = check_spam(MESSAGE)
    assert (found.code, found.severity) == ("spam", severity)
    assert found.message == (
        f"SpamAssassin gives it {score} points (1000 GTUBE; 2.7 MISSING_DATE: Missing Date: header; "
        "0.7 HTML_FONT_LOW_CONTRAST: HTML font color similar or identical to background)"
    )


def test_a_message_that_quotes_a_report_is_judged_by_its_own(programs: Path) -> None:
    install(programs, "spamassassin", scoring("0.0"))
    assert check_spam(MESSAGE + REPORT.format(score="9.9").encode()) == []


@pytest.mark.parametrize("score", ["-1.2", "0.0", "3.0"])
def test_a_message_that_hardly_scores_is_left_alone(programs: Path, score: str) -> None:
    install(programs, "spamassassin", scoring(score))
    assert check_spam(MESSAGE) == []


def test_a_client_whose_daemon_is_not_there_gives_way_to_the_program(programs: Path) -> None:
    install(programs, "spamc", "exit 69")
    install(programs, "spamassassin", scoring("7.5"))
    assert len(check_spam(MESSAGE)) == 1


def test_without_spamassassin_nothing_is_said() -> None:
    assert check_spam(MESSAGE) == []


@pytest.mark.parametrize("script", ["exit 1", "cat", "exec nothing-of-the-kind"])
def test_a_program_that_gives_no_score_is_passed_over(programs: Path, script: str) -> None:
    install(programs, "spamassassin", script)
    assert check_spam(MESSAGE) == []


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("theme", ["digest", "letter", "magazine"])
def test_spamassassin_holds_nothing_against_the_sample(monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    monkeypatch.setattr(spam, "SUSPECT_SCORE", -10.0)
    [found] = check_spam(sample(theme))
    assert "(" not in found.message, found.message


def test_spamassassin_names_what_it_holds_against_spam_and_keeps_nothing(home: Path) -> None:
    [found] = check_spam(GTUBE)
    assert found.severity is Severity.ERROR
    assert "1000 GTUBE: Generic Test for Unsolicited Bulk Email" in found.message
    assert not [path for path in home.rglob("*") if path.is_file()]


def sample(theme: str) -> bytes:
    masthead = Masthead("L’Hebdo", "fr", "rue Haute 1\n1000 Bruxelles", theme)
    sender = Sender("hebdo", masthead.name, "redaction@hebdo.example", None, "vendredi", "Vendredi")
    site = "https://lettres.hebdo.example"
    content = read_issue(SAMPLE_ISSUE).compile(masthead, site)
    builder = MessageBuilder(1, content, sender, site, Tokens.of(b"a key for this test alone, 0123456789"), [])
    return builder.build(Addressee(1, "zoe@example.org", "Zoé", "", {}), NOW).data
