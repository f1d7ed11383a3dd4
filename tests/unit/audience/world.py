"""Imports in tests: files given as text, and everything that imports may touch, as plain values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from newsletter.audience.files.source import open_source
from newsletter.audience.imports import run, stage
from newsletter.audience.jobs import Options
from newsletter.audience.lists import get_list
from newsletter.audience.report import Report
from newsletter.db import Database
from newsletter.models import List, Subscriber, Subscription, Suppression
from tests.factories import DIGEST, NOW

STATED = Options(consent="signed up at the stand")


def load(database: Database, text: str, options: Options = STATED, slug: str = "vendredi") -> tuple[int, Report]:
    """Import a file of that text; the import's number, and what became of its rows."""
    number = staged(database, text, options, slug)
    return number, run(database.write, number, NOW)


def staged(database: Database, text: str, options: Options = STATED, slug: str = "vendredi") -> int:
    """Stage a file of that text; the import's number."""
    path = Path("people.csv")
    path.write_text(text, encoding="utf-8")
    with database.read() as session:
        list_id = get_list(session, slug).id
    return stage(database.write, list_id, open_source(path, options.read_as), options, DIGEST, NOW)


def people(database: Database) -> dict[str, dict[str, Any]]:
    """Everybody by address: who they are, where they are, and how that came to be."""
    with database.read() as session:
        found: dict[str, dict[str, Any]] = {
            one.email: {
                "names": (one.first_name, one.last_name),
                "locale": (one.language, one.timezone),
                "attributes": dict(one.attributes),
                "tags": list(one.tags),
                "lists": {},
            }
            for one in session.scalars(select(Subscriber).order_by(Subscriber.email))
        }
        places = (
            select(Subscriber.email, List.slug, Subscription)
            .join(Subscription, Subscription.subscriber_id == Subscriber.id)
            .join(List, List.id == Subscription.list_id)
        )
        for email, slug, place in session.execute(places):
            found[email]["lists"][slug] = (place.status.value, place.consent)
    return found


def suppressed(database: Database) -> dict[str, str]:
    """The reasons of all suppressions, by address."""
    with database.read() as session:
        return dict(session.execute(select(Suppression.address, Suppression.source)).all())


def tables(database: Database) -> list[str]:
    """The names of the tables imports made for themselves and did not yet remove."""
    with database.read() as session:
        connection = session.connection()
        names = connection.dialect.get_table_names(connection)
    return [name for name in names if name.startswith("import_") and name != "import_changes"]
