"""Brings a database's tables to what this version expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from newsletter.db import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> tuple[str | None, str | None]:
    """Apply every migration that is due, in one transaction; the revision before and the one after."""
    before = current(database)
    head = _scripts().get_current_head()
    if before != head:
        with database.write() as session:
            config = _config()
            config.attributes["connection"] = session.connection()
            command.upgrade(config, "head")
    return before, head


def current(database: Database) -> str | None:
    """The revision the database is at; None where it has no tables yet."""
    with database.read() as session:
        return MigrationContext.configure(session.connection()).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
