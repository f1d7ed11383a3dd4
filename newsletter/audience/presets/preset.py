"""What is known of one system's export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter.audience.columns import Field
from newsletter.audience.statuses import Status, Words


@dataclass(frozen=True, slots=True)
class Preset:
    """Names of columns are as `columns.header_key` leaves them.

    `signature`: columns that together nobody else writes. `columns`: the field a column holds, or the name of its
    attribute, where that does not follow from its name. `statuses`: columns that say who is subscribed, and what each
    of their words means. `files`: what the beginning of a file's name says of all in it. `own`: whether it is
    ours, where cells that a spreadsheet would run begin with an apostrophe, and nothing is to be lost.
    """

    name: str
    signature: frozenset[str]
    columns: Mapping[str, Field | str] = field(default_factory=dict)
    statuses: Mapping[str, Words] = field(default_factory=dict)
    files: Mapping[str, Status] = field(default_factory=dict)
    own: bool = False


def ignored(names: str) -> dict[str, Field | str]:
    """Columns that mean something only inside the other system."""
    return dict.fromkeys(names.split(), Field.IGNORED)
