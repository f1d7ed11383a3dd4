"""What SpamAssassin says of a message, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess

from newsletter.preflight.finding import Finding, error, warning

REFUSED_SCORE = 5.0
SUSPECT_SCORE = 3.0
SECONDS = 60
# The daemon's client first, which answers at once; -x makes it fail where there is no daemon. The program neither
# asks other servers, nor writes preferences, nor learns from what it is shown.
_COMMANDS = (
    ("spamc", "-x", "-R"),
    ("spamassassin", "--local", "--test-mode", "--nocreate-prefs", "--cf=bayes_auto_learn 0"),
)
_REPORT = re.compile(r"^Content analysis details:\s+\((-?[\d.]+) points,.*", re.MULTILINE)
# Points, a rule and its description, which may go on over further lines.
_RULE = re.compile(r"^ *(-?[\d.]+) (\w+)((?: +\S.*)?(?:\n {20,}\S.*)*)", re.MULTILINE)
_WHERE = re.compile(r"^(?:BODY|HEAD|RAW|URI|RBL|FULL|META): ")
_SHOWN = 5


def check_spam(message: bytes) -> list[Finding]:
    """A finding where a message scores as spam, or nearly; none where there is no SpamAssassin to ask."""
    for command in _COMMANDS:
        if report := _run(command, message):
            return _judge(report)
    return []


def _run(command: tuple[str, ...], message: bytes) -> str:
    """SpamAssassin's report on the message; empty where it gave none."""
    program = shutil.which(command[0])
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - found on the PATH, with fixed arguments
            [program, *command[1:]], input=message, capture_output=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    # In test mode the report follows the message, whose own words might look like one.
    _, found, table = done.stdout.decode("utf-8", "replace").rpartition("Content analysis details:")
    return found + table


def _judge(report: str) -> list[Finding]:
    found = _REPORT.search(report)
    score = float(found[1]) if found else 0.0
    rules = sorted(_RULE.findall(report[found.end() :] if found else ""), key=lambda rule: -float(rule[0]))
    broken = [f"{points} {_described(name, words)}" for points, name, words in rules if float(points) > 0]
    told = f"SpamAssassin gives it {score:g} points" + (f" ({'; '.join(broken[:_SHOWN])})" if broken else "")
    if score > REFUSED_SCORE:
        return [error("spam", None, told, f"mend what it names; above {REFUSED_SCORE:g} points it is taken for spam")]
    if score > SUSPECT_SCORE:
        return [warning("spam", None, told, "mend what it names")]
    return []


def _described(name: str, words: str) -> str:
    description = _WHERE.sub("", " ".join(words.split()))
    return f"{name}: {description}" if description else name
