"""`newsletter check`: what an editor wants to know of an issue before anyone receives it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from newsletter.audience.segments.saved import expression_of
from newsletter.cli.database import open_database
from newsletter.cli.files import write_all
from newsletter.cli.output import Json, print_json, say, warn
from newsletter.cli.progress import counted
from newsletter.clock import utc_now
from newsletter.config import Settings, load_settings
from newsletter.preflight.destination import LAST_ZONE, check_lists, check_schedule, check_segment
from newsletter.preflight.dns import system_resolver
from newsletter.preflight.finding import Finding, Looked, Severity
from newsletter.preflight.french import check_french, mend_french
from newsletter.preflight.proof import Proof
from newsletter.preflight.run import look_at_sender, preflight, proofread
from newsletter.preflight.spam import check_spam
from newsletter.preflight.web import look_at_links
from newsletter.rendering.compile import Masthead
from newsletter.rendering.front_matter import FrontMatter
from newsletter.rendering.issue_file import read_front, read_issue
from newsletter.sending.builders import dkim_keys, make_builder
from newsletter.sending.message import Addressee
from newsletter.sending.submit import Prepared, prepare
from newsletter.tracking.tokens import Tokens

EXAMPLE = "Example: newsletter check issue.md --list friday"
THERE_ARE_ERRORS = 1
READER = Addressee(0, "reader@example.org", "", "", {})


def check(
    issue: Annotated[Path, typer.Argument(help="An issue in Markdown with front matter.")],
    list_slug: Annotated[
        str | None,
        typer.Option(
            "--list",
            help="Who gets it, else who its front matter names: their data and the sender's domain are checked too.",
        ),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended in the file itself.")] = False,
    as_json: Json = False,
) -> None:
    """Check an issue: errors keep it from being sent, warnings until they are accepted."""
    settings = load_settings()
    slug, segment, misnamed = _destination(settings, read_front(issue), list_slug)
    found = _found_for_list(settings, issue, slug, segment, fix=fix) if slug else _found(settings, issue, fix=fix)
    found.findings += misnamed
    for unseen in found.unseen:
        warn(f"could not look: {unseen}")
    if as_json:
        print_json([asdict(finding) for finding in found.findings])
    else:
        show(issue, found.findings)
    if any(finding.severity is Severity.ERROR for finding in found.findings):
        raise typer.Exit(THERE_ARE_ERRORS)


def show(issue: Path, findings: Sequence[Finding]) -> None:
    """A line for each finding, errors first, and a last one that counts them."""
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    warnings = [finding for finding in findings if finding.severity is Severity.WARNING]
    for finding in (*errors, *warnings):
        say(told(issue, finding))
    say(f"{counted(len(errors), 'error')}, {counted(len(warnings), 'warning')}")


def told(issue: Path, finding: Finding) -> str:
    """A finding in one line."""
    place = f"{issue}:{finding.line}" if finding.line else f"{issue}"
    return f"{place}: {finding.severity} {finding.code}: {finding.message}; {finding.remedy}"


def _destination(
    settings: Settings, front: FrontMatter, list_slug: str | None
) -> tuple[str | None, str | None, list[Finding]]:
    """The list it is for, where there is one, the segment's expression, and what the front matter names wrongly."""
    if not front.segment and (list_slug or not front.lists):
        return list_slug, None, []
    with open_database(settings) as database, database.read() as session:
        misnamed = [] if list_slug else check_lists(session, front)
        unknown = check_segment(session, front)
        expression = expression_of(session, front.segment) if front.segment and not unknown else None
    if list_slug is None and front.lists and not misnamed:
        list_slug = front.lists[0]
    return list_slug, expression, misnamed + unknown


def _found(settings: Settings, path: Path, *, fix: bool) -> Looked:
    """What shows without a list."""
    file = read_issue(path)
    language = file.document.front.language
    source = _mended(path, file.source, language) if fix else file.source
    content = file.compile(Masthead("Newsletter", language), settings.base_url)
    proof = Proof.of(file, content, settings.base_url)
    looked = Looked([*proofread(proof, language), *check_french(source, language)])
    looked.findings += check_schedule(file.document.front, LAST_ZONE, utc_now())
    looked.add(look_at_links(proof))
    return looked


def _found_for_list(settings: Settings, path: Path, list_slug: str, segment: str | None, *, fix: bool) -> Looked:
    keys = dkim_keys(settings)
    with open_database(settings) as database, database.read() as session:
        prepared = prepare(session, path, list_slug, base_url=settings.base_url, segment=segment)
        looked = Looked(preflight(session, prepared, settings.base_url))
        builder = make_builder(
            1,
            prepared.content,
            prepared.publication,
            prepared.mailing_list,
            settings.base_url,
            Tokens.of(settings.secret()),
            keys,
        )
        from_email, language = prepared.publication.from_email, _language(prepared)
        zone = ZoneInfo(prepared.publication.timezone)
    # Others are asked only now: no transaction is held meanwhile.
    source = _mended(path, prepared.issue.source, language) if fix else prepared.issue.source
    looked.findings += check_french(source, language)
    looked.add(look_at_links(Proof.of(prepared.issue, prepared.content, settings.base_url)))
    looked.add(look_at_sender(from_email, keys, system_resolver(), settings.bounce_mailbox))
    looked.findings += check_schedule(prepared.issue.document.front, zone, utc_now())
    looked.findings += check_spam(builder.build(READER, utc_now()).data)
    return looked


def _language(prepared: Prepared) -> str:
    return prepared.issue.document.front.language or prepared.publication.language


def _mended(path: Path, source: str, language: str) -> str:
    """The file's text once it is mended; the file is written only where that changes it."""
    mended = mend_french(source, language)
    if mended != source:
        write_all(Path(), {path: mended.encode()})
        warn(f"{path}: mended")
    return mended
