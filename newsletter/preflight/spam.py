"""What SpamAssassin says of a message, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess

from newsletter.preflight.finding import Finding, error, warning

REFUSED_SCORE = 5.0
SUSPECT_SCORE = 3.0
SECONDS = 60
# The daemon's client first, which answers at once; -x makes it fail where there is no daemon.
_COMMANDS = (("spamc", "-x"), ("spamassassin", "--local"))
_SCORE = re.compile(rb"^X-Spam-Status:.*?\bscore=(-?[\d.]+)", re.MULTILINE)
_TESTS = re.compile(rb"^X-Spam-Status:.*?\btests=([\w,\s]*?)(?:\s+\w+=|\r?\n\S)", re.MULTILINE | re.DOTALL)
_SHOWN = 5


def check_spam(message: bytes) -> list[Finding]:
    """A finding where a message scores as spam, or nearly; none where there is no SpamAssassin to ask."""
    for command in _COMMANDS:
        if judged := _run(command, message):
            return _judge(judged)
    return []


def _run(command: tuple[str, ...], message: bytes) -> bytes:
    """The message with the headers SpamAssassin gave it; empty where it gave none."""
    program = shutil.which(command[0])
    if program is None:
        return b""
    try:
        done = subprocess.run(  # noqa: S603 - found on the PATH, with fixed arguments
            [program, *command[1:]], input=message, capture_output=True, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout if _SCORE.search(done.stdout) else b""


def _judge(judged: bytes) -> list[Finding]:
    found = _SCORE.search(judged)
    score = float(found[1]) if found else 0.0
    tests = _TESTS.search(judged)
    names = re.split(r"[,\s]+", tests[1].decode("ascii")) if tests else []
    rules = ", ".join([name for name in names if name][:_SHOWN])
    told = f"SpamAssassin gives it {score:g} points" + (f" ({rules})" if rules else "")
    if score > REFUSED_SCORE:
        return [error("spam", None, told, f"mend what the rules name; from {REFUSED_SCORE:g} points on it is spam")]
    if score > SUSPECT_SCORE:
        return [warning("spam", None, told, "mend what the rules name")]
    return []
