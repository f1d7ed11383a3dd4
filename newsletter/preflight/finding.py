"""What a check says: which fault, how grave, where, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """An error blocks a send; a warning blocks it until its code is accepted."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault; `line` counts from 1 in the issue's file, None where no line is to blame."""

    code: str
    severity: Severity
    line: int | None
    message: str
    remedy: str


@dataclass(slots=True)
class Looked:
    """What came of looking things up elsewhere. `unseen` says what could not be looked at, and why: no fault."""

    findings: list[Finding] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def add(self, other: Looked) -> None:
        """Take in what another look found."""
        self.findings += other.findings
        self.unseen += other.unseen


def error(code: str, line: int | None, message: str, remedy: str) -> Finding:
    """A fault that no issue may be sent with."""
    return Finding(code, Severity.ERROR, line, message, remedy)


def warning(code: str, line: int | None, message: str, remedy: str) -> Finding:
    """A fault that an editor may accept."""
    return Finding(code, Severity.WARNING, line, message, remedy)


def blocking(findings: Iterable[Finding], accepted: Collection[str]) -> list[Finding]:
    """Those that keep an issue from being sent: every error, and the warnings whose code is not accepted."""
    return [one for one in findings if one.severity is Severity.ERROR or one.code not in accepted]
