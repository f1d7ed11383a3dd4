"""A header understood: what each column of a table fills."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from newsletter.audience.columns import FAULT_COLUMNS, FIELDS, Field, attribute_name, field_by_hand, header_key
from newsletter.audience.presets.known import recognise
from newsletter.audience.presets.preset import Preset
from newsletter.audience.statuses import COMMON, Status, Words
from newsletter.errors import InputError


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the `field` it holds, or (None) the `attribute` it fills. `words` are those of a status."""

    header: str
    field: Field | None
    attribute: str = ""
    words: Words | None = None

    def __str__(self) -> str:
        return f"{self.header.strip() or '(no name)'} → {self.field or self.attribute}"


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """All columns of a table. `status` is what the file's name says of everybody in it, `own` whether it is an export
    of ours."""

    columns: tuple[Column, ...]
    preset: str | None = None
    status: Status | None = None
    own: bool = False

    @property
    def says_who_agreed(self) -> bool:
        """Whether the table itself tells who is subscribed, and who no longer is."""
        return self.status is not None or any(column.words for column in self.columns)

    @property
    def attribute_names(self) -> tuple[str, ...]:
        return tuple(column.attribute for column in self.columns if column.attribute)


def map_columns(
    header: Sequence[str], file_name: str, preset: Preset | None = None, by_hand: Mapping[str, str] | None = None
) -> ColumnMap:
    """Understand a header: by what a person says (`by_hand`: a column's name -> a field, an attribute or “-”), by the
    preset (recognised where none is given), by the names of columns in several languages.

    Raises InputError where no column holds addresses, or two do, or `by_hand` names a column that is not there.
    """
    keys = [header_key(name) for name in header]
    preset = preset or recognise(keys)
    said: dict[str, str] = {}
    if tuple(keys[: len(FAULT_COLUMNS)]) == FAULT_COLUMNS:
        said |= dict.fromkeys(FAULT_COLUMNS, Field.IGNORED)
    said |= {header_key(name): target for name, target in (by_hand or {}).items()}
    for name in by_hand or {}:
        if header_key(name) not in keys:
            raise InputError(f"there is no column “{name}” to map: the header has {_listed(header)}")
    columns = _without_doubles([_column(name, said, preset, number) for number, name in enumerate(header, start=1)])
    columns = _without_full_name(columns)
    _check_addresses(columns, header)
    status = _status_of_file(file_name, preset)
    return ColumnMap(tuple(columns), preset.name if preset else None, status, bool(preset and preset.own))


def _column(name: str, said: Mapping[str, str], preset: Preset | None, number: int) -> Column:
    key = header_key(name)
    target: Field | str = FIELDS.get(key, "")
    words = None
    if key in said:
        target = field_by_hand(said[key]) or said[key]
    elif preset is not None and (key in preset.columns or key in preset.statuses):
        target, words = preset.columns.get(key, Field.STATUS), preset.statuses.get(key)
    if isinstance(target, Field):
        return Column(name, target, words=words or (COMMON if target is Field.STATUS else None))
    return Column(name, None, attribute=attribute_name(target or name, number))


def _without_doubles(columns: Sequence[Column]) -> list[Column]:
    """A second column for a field is an attribute of its own, and of two attributes of a name the second is numbered.

    Only addresses and statuses may come several times: the one is refused later, of the others the gravest counts.
    """
    fields: set[Field] = set()
    names: set[str] = set()
    kept = []
    for number, column in enumerate(columns, start=1):
        found = column
        if found.field in fields and found.field not in (Field.EMAIL, Field.STATUS, Field.IGNORED):
            found = Column(column.header, None, attribute=attribute_name(column.header, number))
        if found.field is not None:
            fields.add(found.field)
        elif found.attribute in names:
            found = Column(column.header, None, attribute=f"{found.attribute}_{number}")
        names.add(found.attribute)
        kept.append(found)
    return kept


def _without_full_name(columns: Sequence[Column]) -> list[Column]:
    """Beside a first name, “name” is the rest of it."""
    fields = {column.field for column in columns}
    if Field.FIRST_NAME not in fields or Field.LAST_NAME in fields:
        return list(columns)
    return [Column(column.header, Field.LAST_NAME) if column.field is Field.NAME else column for column in columns]


def _check_addresses(columns: Sequence[Column], header: Sequence[str]) -> None:
    found = [column.header.strip() for column in columns if column.field is Field.EMAIL]
    if not found:
        raise InputError(
            f"no column holds addresses: the header has {_listed(header)}; name one “email”, or say which with "
            '--map "its name=email"'
        )
    if len(found) > 1:
        raise InputError(
            f"two columns mean email, “{found[0]}” and “{found[1]}”: rename one, or set it aside with "
            f'--map "{found[1]}=-"'
        )


def _status_of_file(file_name: str, preset: Preset | None) -> Status | None:
    name = PurePosixPath(file_name.replace("\\", "/")).name.lower()
    files = preset.files if preset else {}
    return next((status for beginning, status in files.items() if name.startswith(beginning)), None)


def _listed(header: Sequence[str]) -> str:
    return (", ".join(name.strip() for name in header) or "nothing")[:200]
