"""The database as commands open it."""

from __future__ import annotations

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.models.schema import upgrade


def open_database(settings: Settings) -> Database:
    """The settings' database; the embedded one is made, and brought up to date, without being asked."""
    database = Database(settings.database)
    if settings.database_url is None:
        upgrade(database)
    return database
