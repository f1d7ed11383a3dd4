"""SpamAssassin's word, said by a program that writes what it writes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from newsletter.preflight.finding import Severity
from newsletter.preflight.spam import check_spam

MESSAGE = b"Subject: Vendredi\r\n\r\nBonjour.\r\n"
STATUS = (
    "X-Spam-Status: {verdict}, score={score} required=5.0 tests=HTML_MESSAGE,\n"
    "\tMISSING_DATE autolearn=no version=4.0.1"
)


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first on the PATH, with nothing of SpamAssassin behind it."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin")
    return tmp_path


def install(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def scoring(score: str) -> str:
    status = STATUS.format(verdict="Yes" if float(score) >= 5 else "No", score=score)
    return f"cat <<'END'\n{status}\nEND\ncat"


@pytest.mark.parametrize("name", ["spamassassin", "spamc"])
@pytest.mark.parametrize(("score", "severity"), [("5.1", Severity.ERROR), ("3.1", Severity.WARNING)])
def test_a_message_that_scores_is_told_with_the_rules_it_broke(
    programs: Path, name: str, score: str, severity: Severity
) -> None:
    install(programs, name, scoring(score))
    [found] = check_spam(MESSAGE)
    assert (found.code, found.severity) == ("spam", severity)
    assert found.message == f"SpamAssassin gives it {score} points (HTML_MESSAGE, MISSING_DATE)"


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
