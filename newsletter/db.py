"""The SQL database: SQLite when embedded, PostgreSQL when grown; the same sessions on both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event, func, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DatabaseError, DBAPIError, OperationalError
from sqlalchemy.orm import Session, sessionmaker

from newsletter.clock import utc_now
from newsletter.errors import ConfigError, UnavailableError

BUSY_TIMEOUT_SECONDS = 30
CONNECT_TIMEOUT_SECONDS = 10
SILENCE_SECONDS = 30


class Database:
    """One database and its sessions. Make one a process: connections must not cross a fork."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        self._reader = sessionmaker(self.engine, expire_on_commit=False)
        self._writer = sessionmaker(self.engine.execution_options(newsletter_write=True), expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def place(self) -> str:
        """The database without its password, for messages to people."""
        return self.url.render_as_string(hide_password=True)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that only looks; on SQLite it never waits for a writer."""
        with self._explained(), self._reader() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction: committed at the end, rolled back when anything is raised.

        Raises UnavailableError when the server does not answer, ConfigError when its tables are missing.
        """
        with self._explained(), self._writer.begin() as session:
            yield session

    def close(self) -> None:
        """Give every connection back."""
        self.engine.dispose()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as error:
            if _is_missing_table(error):
                raise ConfigError(f"{self.place} has not all its tables: run `newsletter db upgrade`") from error
            if isinstance(error, OperationalError) or "not a database" in str(error.orig):
                raise UnavailableError(
                    f"the database {self.place} did not answer: {_first_line(error)}; start it, or mend "
                    "NEWSLETTER_DATABASE_URL"
                ) from error
            raise


def is_postgresql(session: Session) -> bool:
    """Whether the database is PostgreSQL; it is SQLite otherwise."""
    return session.get_bind().dialect.name == "postgresql"


def insert_into(session: Session, table: Any) -> Any:
    """An INSERT in the database's own dialect, which knows what to do `on_conflict`."""
    return (postgresql.insert if is_postgresql(session) else sqlite.insert)(table)


def moment(session: Session) -> datetime:
    """The present moment (UTC) by the database's clock: the same for all machines, whatever their own clocks say."""
    if not is_postgresql(session):
        return utc_now()
    now: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC)


def _sqlite_engine(url: str) -> Engine:
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The standard library's own BEGIN is deferred and would find the database locked at the first write.
    connection.isolation_level = None
    connection.create_function("lower_unicode", 1, _lower, deterministic=True)
    connection.execute("PRAGMA journal_mode = WAL")
    # A settled delivery must survive a power cut, or it would be sent again.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _lower(text: str | None) -> str | None:
    """SQLite's own lower() knows ASCII alone."""
    return None if text is None else text.lower()


def _begin_sqlite(connection: Any) -> None:
    writes = connection.get_execution_options().get("newsletter_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgresql_engine(url: str) -> Engine:
    # No transaction spans the network: one that is silent this long is of a machine that was cut off, and its locks
    # would otherwise hold for as long as TCP hopes.
    silence = f"-c idle_in_transaction_session_timeout={SILENCE_SECONDS}s"
    arguments = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "options": silence}
    return create_engine(url, pool_pre_ping=True, connect_args=arguments)


def _is_missing_table(error: DBAPIError) -> bool:
    return "no such table" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "42P01"


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0]
