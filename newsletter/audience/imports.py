"""An import: a file is staged first; then its rows go in, some thousands in a transaction, until none is left.

Killed at any moment, it can be run to its end or undone: every transaction takes rows in and notes how far it came.
"""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from newsletter.audience.chunk import Chunk
from newsletter.audience.digests import Digest
from newsletter.audience.files.source import ReadAs, Source, open_source
from newsletter.audience.jobs import Options, get_import, job_of, kept
from newsletter.audience.report import Report, report_of
from newsletter.audience.staging import (
    Fault,
    OnFault,
    OnProgress,
    Transactions,
    drop_staged,
    fill,
    is_staged,
    sort_out,
)
from newsletter.errors import ConflictError, InputError, NewsletterError
from newsletter.models import Import, ImportState, List

PUTTING_IN = "Putting in"


def quiet(_doing: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


def ignore(_fault: Fault) -> None:
    """Faults that are only counted and sampled."""


def stage(
    transactions: Transactions,
    list_id: int,
    source: Source,
    options: Options,
    digest: Digest,
    now: datetime,
    on_progress: OnProgress = quiet,
    on_fault: OnFault = ignore,
) -> int:
    """Put the rows of a file aside for a list; the number of the import. Nobody is touched yet.

    Rows about somebody who was forgotten, which is told by their `digest`, are refused.

    Raises InputError where neither the file nor `options.consent` says who agreed to be mailed, SourceError where the
    file turns out to be no table; nothing is left of the import then.
    """
    if not options.consent.strip() and not source.says_who_agreed:
        raise InputError(
            f"{source.path}: no column says who agreed to be mailed: say how they did, as in "
            '--consent "signed up at our stand in May 2025"'
        )
    with transactions() as session:
        begun = Import(
            list_id=list_id,
            path=str(source.path.resolve()),
            digest=source.digest,
            options=kept(options, source),
            state=ImportState.STAGING,
            report=Report().facts(),
            created_at=now,
        )
        session.add(begun)
        session.flush()
        import_id = begun.id
    try:
        _stage_rows(transactions, import_id, source, digest, on_progress, on_fault)
    except (NewsletterError, KeyboardInterrupt):
        discard(transactions, import_id)
        raise
    return import_id


def preview(transactions: Transactions, import_id: int, on_progress: OnProgress = quiet) -> Report:
    """What a run would do now, row by row, without doing it."""
    with transactions() as session:
        found = get_import(session, import_id)
        job, report, after, total = job_of(found), report_of(found.report), "", found.staged
    ahead = True
    while ahead:
        with transactions() as session:
            chunk = Chunk(session, job, after)
            chunk.tell(report)
            chunk.close()
        ahead, after = chunk.upto != after, chunk.upto
        on_progress(PUTTING_IN, _gone_in(report), total)
    return report


def run(transactions: Transactions, import_id: int, now: datetime, on_progress: OnProgress = quiet) -> Report:
    """Take in whatever is left of a staged import. Two may do so at once: each chunk goes in once.

    Raises ConflictError where the import is being undone, or has been.
    """
    while True:
        with transactions() as session:
            found = get_import(session, import_id, lock=True)
            if found.state not in (ImportState.STAGED, ImportState.RUNNING):
                break
            report = _take_in(session, found, now)
            total = found.staged
        on_progress(PUTTING_IN, _gone_in(report), total)
    if found.state is not ImportState.DONE:
        raise ConflictError(f"import {import_id} is {found.state.value}: it cannot be run")
    return report_of(found.report)


def resume(
    transactions: Transactions, import_id: int, digest: Digest, now: datetime, on_progress: OnProgress = quiet
) -> Report:
    """Run an import that was stopped to its end. Rows that were not all staged yet are read again from the file.

    Raises ConflictError where it has ended already, InputError where the file is needed and no longer the same.
    """
    with transactions() as session:
        found = get_import(session, import_id)
        if found.state in (ImportState.DONE, ImportState.UNDONE):
            raise ConflictError(f"import {import_id} is {found.state.value} already")
        if found.state is ImportState.UNDOING:
            raise ConflictError(
                f"import {import_id} is being undone: go on with `newsletter import undo {import_id}`"
            )
        whole = found.state is not ImportState.STAGING and is_staged(session, import_id, found.staged)
        path, before, read_as = Path(found.path), found.digest, ReadAs(**found.options["read_as"])
    if not whole:
        source = open_source(path, read_as)
        if source.digest != before:
            raise InputError(
                f"{path}: is no longer the file of import {import_id}: undo that with "
                f"`newsletter import undo {import_id}`, and import this"
            )
        _stage_rows(transactions, import_id, source, digest, on_progress, ignore)
    return run(transactions, import_id, now, on_progress)


def run_import(
    session: Session, mailing_list: List, source: Source, now: datetime, options: Options, digest: Digest
) -> Report:
    """Stage and run a whole import in the session's one transaction; for what is small."""

    def same_transaction() -> nullcontext[Session]:
        return nullcontext(session)

    return run(same_transaction, stage(same_transaction, mailing_list.id, source, options, digest, now), now)


def discard(transactions: Transactions, import_id: int) -> None:
    """Forget an import of which nothing has gone in."""
    with transactions() as session:
        drop_staged(session, import_id)
        session.delete(get_import(session, import_id))


def _stage_rows(
    transactions: Transactions,
    import_id: int,
    source: Source,
    digest: Digest,
    on_progress: OnProgress,
    on_fault: OnFault,
) -> None:
    report, names = fill(transactions, import_id, source, digest, on_progress, on_fault)
    with transactions() as session:
        found = get_import(session, import_id, lock=True)
        found.staged = sort_out(session, import_id, source, report)
        found.attribute_names = sorted({*source.attribute_names, *names})
        if found.state is ImportState.STAGING:
            found.state, found.report = ImportState.STAGED, report.facts()
        session.flush()


def _take_in(session: Session, found: Import, now: datetime) -> Report:
    after = found.done_upto or ""
    report = report_of(found.report)
    chunk = Chunk(session, job_of(found), after)
    chunk.put(chunk.tell(report), now)
    chunk.close()
    found.report = report.facts()
    if chunk.upto == after:
        _finish(session, found, now)
    else:
        found.state, found.done_upto = ImportState.RUNNING, chunk.upto
    session.flush()
    return report


def _finish(session: Session, found: Import, now: datetime) -> None:
    drop_staged(session, found.id)
    mailing_list = session.get_one(List, found.list_id, with_for_update=True, populate_existing=True)
    mailing_list.attribute_names = sorted({*mailing_list.attribute_names, *found.attribute_names})
    found.state, found.finished_at = ImportState.DONE, now


def _gone_in(report: Report) -> int:
    return report.rows - report.refused - report.erased - report.duplicates
