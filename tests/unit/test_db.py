from __future__ import annotations

from datetime import datetime

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from newsletter.db import Database
from newsletter.errors import ConfigError, UnavailableError
from newsletter.models import Base, List, Suppression, SuppressionReason
from newsletter.models.schema import current, upgrade


def test_the_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.read() as session:
        context = MigrationContext.configure(session.connection())
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_twice_changes_nothing(database: Database) -> None:
    before, after = upgrade(database)
    assert before == after == current(database)


def test_a_transaction_that_fails_leaves_nothing_behind(database: Database, now: datetime) -> None:
    def suppress_twice() -> None:
        with database.write() as session:
            for _ in range(2):
                session.execute(
                    insert(Suppression).values(
                        address="ada@example.org",
                        reason=SuppressionReason.BLOCKED,
                        source="test",
                        created_at=now,
                    )
                )

    with pytest.raises(IntegrityError):
        suppress_twice()
    with database.read() as session:
        assert session.scalars(select(Suppression)).all() == []


def test_missing_tables_are_named_with_what_to_do() -> None:
    database = Database("sqlite:///empty.db")
    with pytest.raises(ConfigError, match="newsletter db upgrade"), database.read() as session:
        session.get(List, 1)
    database.close()


def test_a_server_that_is_away_is_named_without_its_password() -> None:
    database = Database("postgresql+psycopg://someone:hunter2@127.0.0.1:1/nothing")
    with pytest.raises(UnavailableError, match="did not answer") as caught, database.read() as session:
        session.get(List, 1)
    assert "hunter2" not in str(caught.value)
    database.close()
