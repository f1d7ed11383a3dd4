"""What all tables share: names of constraints, 64-bit keys, times in UTC, states as words."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Enum, Integer, MetaData, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.types import TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time, kept in UTC. SQLite drops the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value} has no zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def word_enum(enum: type[StrEnum]) -> Enum:
    """A column of one of the enum's values, kept as that word; a new word needs no change of type."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=20,
        values_callable=lambda members: [member.value for member in members],
    )


# SQLite numbers rows by itself only in a column that is INTEGER to the letter.
BIG = BigInteger().with_variant(Integer, "sqlite")
# What is asked for by its parts: PostgreSQL finds one in JSONB, and reads JSON from its beginning each time.
PARTED_JSON = JSON().with_variant(JSONB(), "postgresql")
# Ordered by its characters' numbers, as SQLite orders all text, so that an index finds what begins with a text.
IN_ORDER = String(254).with_variant(String(254, collation="C"), "postgresql")
Key = Annotated[int, mapped_column(BIG, primary_key=True)]
BigNumber = Annotated[int, mapped_column(BIG)]
Moment = Annotated[datetime, mapped_column(UtcDateTime)]


class Base(DeclarativeBase):
    """The registry of all tables."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UtcDateTime}  # noqa: RUF012
