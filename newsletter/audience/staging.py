"""The good rows of a file wait in a table of their own, in SQL, until the import has dealt with them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    delete,
    func,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.audience.digests import WISH, Digest, erased_digests
from newsletter.audience.files.source import Source
from newsletter.audience.past import NOTHING, Past, PastReader
from newsletter.audience.report import Report, Sample
from newsletter.audience.rows import Row, RowReader
from newsletter.bulk import load
from newsletter.db import is_postgresql
from newsletter.errors import InputError
from newsletter.models.base import PARTED_JSON, UtcDateTime

# Opens a transaction that is committed at its end; a door's `database.write`.
Transactions = Callable[[], AbstractContextManager[Session]]
# Hears what is being done, and how much of how much.
OnProgress = Callable[[str, int, int], None]

ROWS_AT_A_TIME = 20_000
READING = "Reading"
COLUMNS = ("id", "part", *Row._fields)
COLUMNS_WITH_PAST = (*COLUMNS, *Past._fields)


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that cannot go in, and why; `cells` are as the file has them."""

    file: str
    line: int
    reason: str
    cells: tuple[str, ...]


OnFault = Callable[[Fault], None]
IsErased = Callable[[str], bool]


def staged_rows(session: Session, import_id: int) -> Table:
    """The table of one import's rows. PostgreSQL does not log it: should the server crash, it is filled anew."""
    return Table(
        f"import_{import_id}_rows",
        MetaData(),
        Column("id", BigInteger),
        Column("part", SmallInteger),
        Column("line", Integer),
        Column("email", String(254)),
        Column("status", SmallInteger),
        Column("first_name", String(200)),
        Column("last_name", String(200)),
        Column("language", String(35)),
        Column("timezone", String(64)),
        Column("attributes", PARTED_JSON),
        Column("tags", PARTED_JSON),
        Column("opted_in_at", UtcDateTime),
        Column("opted_in_ip", String(45)),
        Column("confirmed_at", UtcDateTime),
        Column("confirmed_ip", String(45)),
        Column("subscription", String(20)),
        Column("consent", Text),
        Column("subscribed_at", UtcDateTime),
        Column("unsubscribed_at", UtcDateTime),
        Column("paused_until", UtcDateTime),
        Column("suppressed_by", String(200)),
        Column("suppressed_at", UtcDateTime),
        Column("suppressed_until", UtcDateTime),
        Column("tracking", String(20)),
        Column("trail", Text),
        prefixes=["UNLOGGED"] if is_postgresql(session) else [],
    )


def is_staged(session: Session, import_id: int, rows: int) -> bool:
    """Whether all the rows that were staged are still there."""
    table = staged_rows(session, import_id)
    if not inspect(session.connection()).has_table(table.name):
        return False
    return session.scalar(select(func.count()).select_from(table)) == rows


def drop_staged(session: Session, import_id: int) -> None:
    staged_rows(session, import_id).drop(session.connection(), checkfirst=True)


def fill(
    transactions: Transactions,
    import_id: int,
    source: Source,
    digest: Digest,
    on_progress: OnProgress,
    on_fault: OnFault,
) -> tuple[Report, set[str]]:
    """Stage the rows of a file anew, some thousands in a transaction.

    What was wrong with the others, and the names of attributes that were not in the header.
    """
    report, names = Report(), set[str]()
    with transactions() as session:
        drop_staged(session, import_id)
        staged_rows(session, import_id).create(session.connection())
        erased = erased_digests(session)
    rows = _read(source, report, names, _is_erased(erased, digest), on_progress, on_fault)
    columns = COLUMNS_WITH_PAST if source.is_own else COLUMNS
    while chunk := list(islice(rows, ROWS_AT_A_TIME)):
        with transactions() as session:
            load(session, staged_rows(session, import_id), columns, chunk)
    with transactions() as session:
        _drop_erased(session, staged_rows(session, import_id), erased_digests(session) - erased, digest, report)
    return report, names


def _is_erased(erased: frozenset[str], digest: Digest) -> IsErased:
    """Nothing is hashed where nobody was forgotten."""
    return (lambda email: digest(email) in erased) if erased else (lambda _email: False)


def _drop_erased(session: Session, staged: Table, erased: frozenset[str], digest: Digest, report: Report) -> None:
    """Drop the rows of those who were forgotten while the file was read."""
    if not erased:
        return
    emails = session.scalars(select(staged.c.email).execution_options(yield_per=ROWS_AT_A_TIME))
    found = [email for email in emails if digest(email) in erased]
    for email in found:
        session.execute(delete(staged).where(staged.c.email == email))
    report.count("erased", len(found))


def sort_out(session: Session, import_id: int, source: Source, report: Report) -> int:
    """Leave one row of each address, the one whose status weighs most, the first of those; how many are left."""
    staged = staged_rows(session, import_id)
    connection = session.connection()
    Index(f"ix_{staged.name}", staged.c.email, staged.c.status, staged.c.id).create(connection)
    if is_postgresql(session):
        session.execute(text(f"ANALYZE {staged.name}"))
    repeated = select(staged.c.email).group_by(staged.c.email).having(func.count() > 1)
    place = func.row_number().over(partition_by=staged.c.email, order_by=(staged.c.status, staged.c.id))
    ranked = select(staged, place.label("place")).where(staged.c.email.in_(repeated)).subquery()
    first = ranked.alias("first")
    extra = (
        select(ranked.c.part, ranked.c.line, ranked.c.email, first.c.part, first.c.line)
        .join(first, (first.c.email == ranked.c.email) & (first.c.place == 1))
        .where(ranked.c.place > 1)
        .order_by(ranked.c.id)
        .limit(report.wants("duplicates"))
    )
    names = [table.name for table in source.tables]
    found = session.execute(extra).all()
    report.show(
        "duplicates",
        [
            Sample(names[part], line, f"{email} stands on {_place(names, part, other_part, other)} already")
            for part, line, email, other_part, other in found
        ],
    )
    if found:
        surplus = select(ranked.c.id).where(ranked.c.place > 1)
        removed = session.execute(delete(staged).where(staged.c.id.in_(surplus)))
        report.duplicates = cast(CursorResult[Any], removed).rowcount
    return session.scalar(select(func.count()).select_from(staged)) or 0


def _place(names: list[str], part: int, other_part: int, line: int) -> str:
    return f"line {line}" if part == other_part else f"line {line} of {names[other_part]}"


def _read(
    source: Source,
    report: Report,
    names: set[str],
    is_erased: IsErased,
    on_progress: OnProgress,
    on_fault: OnFault,
) -> Iterator[tuple[object, ...]]:
    number, before = 0, 0
    more: tuple[str | None, ...] = NOTHING if source.is_own else ()
    for part, table in enumerate(source.tables):
        reader = RowReader(table.columns)
        past = PastReader(table.columns) if table.columns.own else None
        done = before

        def tell(read: int, before: int = before) -> None:
            nonlocal done
            done = before + read

        for line, cells, reason in table.records(tell):
            number += 1
            if number % ROWS_AT_A_TIME == 0:
                on_progress(READING, done, source.size)
            if not "".join(cells).strip():
                continue
            try:
                if reason:
                    raise InputError(reason)
                row, remarks = reader.read(line, cells)
                told = past.read(cells) if past else more
            except InputError as error:
                report.count("refused")
                if report.wants("refused") > 0:
                    report.show("refused", [Sample(table.name, line, str(error))])
                on_fault(Fault(table.name, line, str(error), tuple(cells)))
                continue
            if is_erased(row.email):
                report.count("erased")
                # Their address is not kept, not even among the samples.
                report.show("erased", [Sample(table.name, line, WISH)])
                on_fault(Fault(table.name, line, WISH, tuple(cells)))
                continue
            for remark in remarks:
                report.warn(remark.kind)
                report.show("warnings", [Sample(table.name, line, remark.words)])
            yield (number, part, *row, *told)
        before += table.size
        names |= reader.names
    on_progress(READING, source.size, source.size)
