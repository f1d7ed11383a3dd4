"""The database as commands open it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.errors import ConfigError
from newsletter.models.schema import upgrade


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """The settings' database; the embedded one is made, and brought up to date, without being asked."""
    with connect(settings) as database:
        if settings.database_url is None:
            upgrade(database)
        yield database


@contextmanager
def connect(settings: Settings) -> Iterator[Database]:
    """The settings' database as it is, closed at the end."""
    url = make_url(settings.database)
    if url.get_backend_name() == "sqlite" and url.database:
        check_folder(Path(url.database).parent)
    database = Database(settings.database)
    try:
        yield database
    finally:
        database.close()


def check_folder(folder: Path) -> None:
    """Raise ConfigError, and make nothing, unless `folder` is one that we may write in, or could be made."""
    folder = folder.resolve()
    nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if not nearest.is_dir():
        why = f"{nearest} is a file"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        why = f"this user may not write in {nearest}"
    else:
        return
    raise ConfigError(f"{folder}: no data can be kept there, since {why}: choose another folder")
