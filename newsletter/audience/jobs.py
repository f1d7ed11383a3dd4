"""The record of an import, and what a run needs to know of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.audience.files.source import ReadAs, Source
from newsletter.audience.profile import Conflicts
from newsletter.errors import NotFoundError
from newsletter.models import Import


@dataclass(frozen=True, slots=True)
class Options:
    """`consent` says in words how the people of a file agreed; it is needed where the file does not tell who did."""

    consent: str = ""
    conflicts: Conflicts = Conflicts.OVERWRITE
    read_as: ReadAs = field(default_factory=ReadAs)


@dataclass(frozen=True, slots=True)
class Job:
    """What a run needs to know of its import. `parts` are the names of the file's tables."""

    import_id: int
    list_id: int
    file_name: str
    parts: Sequence[str]
    consent: str
    conflicts: Conflicts
    begun_at: datetime


def get_import(session: Session, import_id: int, *, lock: bool = False) -> Import:
    """The import of that number, with `lock` for this transaction alone. Raises NotFoundError."""
    found = session.get(Import, import_id, with_for_update=lock, populate_existing=True)
    if found is None:
        raise NotFoundError(f"there is no import {import_id}: see `newsletter import ls`")
    return found


def all_imports(session: Session) -> Iterator[Import]:
    """Every import, the latest first."""
    return iter(session.scalars(select(Import).order_by(Import.id.desc())))


def job_of(found: Import) -> Job:
    """What an import was started with."""
    name = Path(found.path).name
    return Job(
        import_id=found.id,
        list_id=found.list_id,
        file_name=name,
        parts=found.options["parts"],
        consent=found.options["consent"] or f"subscribed in {name}",
        conflicts=Conflicts(found.options["conflicts"]),
        begun_at=found.created_at,
    )


def kept(options: Options, source: Source) -> dict[str, Any]:
    """What an import is started with, as its record keeps it."""
    read_as = asdict(options.read_as)
    return {
        "consent": options.consent.strip(),
        "conflicts": options.conflicts.value,
        "read_as": {**read_as, "columns": dict(options.read_as.columns)},
        "parts": [table.name for table in source.tables],
    }
