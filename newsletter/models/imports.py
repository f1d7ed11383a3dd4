"""Files put on lists: how far each has come, and what is needed to undo it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from newsletter.models.base import Base, BigNumber, Key, Moment, word_enum


class ImportState(StrEnum):
    """staging -> staged -> running -> done -> undoing -> undone; an import may be undone from anywhere before."""

    STAGING = "staging"
    STAGED = "staged"
    RUNNING = "running"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


class Import(Base):
    """One file's rows put on a list, undoable as one.

    `path` and `digest` (SHA-256) find the file again should its staged rows be lost; `options` are what it was
    started with. Addresses up to and including `done_upto`, in the database's order, have gone in. `report` is what
    became of the rows so far, `attribute_names` the attributes they bring.
    """

    __tablename__ = "imports"

    id: Mapped[Key]
    list_id: Mapped[BigNumber] = mapped_column(ForeignKey("lists.id"), index=True)
    path: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    options: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[ImportState] = mapped_column(word_enum(ImportState))
    staged: Mapped[int] = mapped_column(default=0)
    done_upto: Mapped[str | None] = mapped_column(String(254))
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
    attribute_names: Mapped[list[str]] = mapped_column(JSON, default=list)
    created_at: Mapped[Moment]
    finished_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]


class ImportChange(Base):
    """What an import changed of someone known before: the facts that differ, before and after (None: not there)."""

    __tablename__ = "import_changes"

    import_id: Mapped[BigNumber] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    # No foreign key: a subscriber may be erased, and the change with them is undone by then.
    subscriber_id: Mapped[BigNumber] = mapped_column(primary_key=True, index=True)
    before: Mapped[dict[str, str | None]] = mapped_column(JSON)
    after: Mapped[dict[str, str | None]] = mapped_column(JSON)
