"""An issue that is not fit to be sent is refused; where warnings are all, with the command line that accepts them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from newsletter.cli.check import told
from newsletter.cli.output import say
from newsletter.cli.progress import counted
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.errors import InputError
from newsletter.preflight.finding import Finding, Severity, blocking
from newsletter.preflight.run import preflight
from newsletter.sending.submit import Prepared


def approve(
    database: Database, settings: Settings, prepared: Prepared, accepted: Sequence[str], *, quietly: bool
) -> None:
    """Run the checks that need no network. Raises InputError for errors, and for warnings that are not accepted.

    Each of them is printed before, unless `quietly`.
    """
    with database.read() as session:
        found = preflight(session, prepared, settings.base_url)
    issue = prepared.issue.path
    left = blocking(found, accepted)
    if not left:
        return
    if not quietly:
        for finding in left:
            say(told(issue, finding))
    errors = [finding for finding in left if finding.severity is Severity.ERROR]
    if errors:
        raise InputError(f"{issue}: {counted(len(errors), 'error')} ({_codes(errors)}) to mend before it can be sent")
    anyway = [
        *sys.argv[1:],
        *(word for code in dict.fromkeys(one.code for one in left) for word in ("--accept", code)),
    ]
    raise InputError(
        f"{issue}: {counted(len(left), 'warning')} ({_codes(left)}): mend what they name, or accept them with "
        f"`newsletter {shlex.join(anyway)}`"
    )


def _codes(findings: Sequence[Finding]) -> str:
    return ", ".join(dict.fromkeys(finding.code for finding in findings))
