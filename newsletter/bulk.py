"""Many rows at once, the way each database takes them fastest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast

from psycopg import Cursor, sql
from sqlalchemy import ARRAY, ColumnElement, FromClause, Select, Table, any_, func, insert, literal, select
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from newsletter.db import insert_into, is_postgresql


def load(session: Session, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Put rows into a table as they are, by COPY on PostgreSQL: JSON as text, times as SQLite has them, in UTC."""
    connection = session.connection()
    if not rows:
        return
    if is_postgresql(session):
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(table.name), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with cast(Cursor[Any], connection.connection.cursor()) as cursor:
            cursor.execute("SET LOCAL TIME ZONE 'UTC'")
            with cursor.copy(statement) as copy:
                for row in rows:
                    copy.write_row(row)
        return
    statement_text = str(insert(table).compile(connection, column_keys=list(columns)))
    connection.exec_driver_sql(statement_text, [tuple(row) for row in rows])


def insert_new(session: Session, table: FromClause, columns: Sequence[str], rows: Select[*tuple[Any, ...]]) -> int:
    """Insert what a query finds, but for rows that are there already; how many were inserted."""
    statement = insert_into(session, table).from_select(list(columns), rows).on_conflict_do_nothing()
    return cast(CursorResult[Any], session.execute(statement)).rowcount


def is_among(session: Session, column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """Whether a column is one of many values: to PostgreSQL one array, for it reads a thousand parameters slowly."""
    if is_postgresql(session):
        return column == any_(literal(list(values), ARRAY(column.type)))  # type: ignore[no-any-return]
    return column.in_(values)  # type: ignore[no-any-return]


def look_up_by_index(session: Session) -> None:
    """For this transaction: find rows by index. What comes in bulk outruns the statistics by which PostgreSQL would
    choose.
    """
    if is_postgresql(session):
        for choice in ("enable_hashjoin", "enable_mergejoin", "enable_seqscan"):
            session.execute(select(func.set_config(choice, "off", True)))
