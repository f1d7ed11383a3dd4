"""What is known of a person, as facts that can be merged with a file's and put back one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum

# Facts by name: “first_name”, “language”, “attribute:ville”, “tag:presse”. What is blank is no fact.
Facts = dict[str, str]

_TEXTS = ("first_name", "last_name", "language", "timezone")
_ATTRIBUTE = "attribute:"
_TAG = "tag:"
_HERE = "yes"


class Conflicts(StrEnum):
    """What to do where a file and we know different things of somebody.

    `keep`: change nothing of people we know. `fill`: take what we do not know yet. `overwrite`: the file is right;
    its blanks change nothing.
    """

    KEEP = "keep"
    FILL = "fill"
    OVERWRITE = "overwrite"


@dataclass(frozen=True, slots=True)
class Profile:
    """The parts of a subscriber that imports may change."""

    first_name: str
    last_name: str
    language: str
    timezone: str
    attributes: Mapping[str, str]
    tags: Sequence[str]

    def facts(self) -> Facts:
        own = {name: getattr(self, name) for name in _TEXTS}
        attributes = {f"{_ATTRIBUTE}{name}": value for name, value in self.attributes.items()}
        return {name: fact for name, fact in (own | attributes).items() if fact} | {
            f"{_TAG}{tag}": _HERE for tag in self.tags
        }


PROFILE_COLUMNS = tuple(field.name for field in fields(Profile))


@dataclass(frozen=True, slots=True)
class Merge:
    """What merging changes, fact by fact (None: not there); `conflicts` where both sides knew and differed."""

    before: Mapping[str, str | None]
    after: Mapping[str, str | None]
    conflicts: bool


def profile_of(facts: Mapping[str, str]) -> Profile:
    """The profile that has these facts."""
    return Profile(
        **{name: facts.get(name, "") for name in _TEXTS},
        attributes={
            name.removeprefix(_ATTRIBUTE): facts[name] for name in sorted(facts) if name.startswith(_ATTRIBUTE)
        },
        tags=[name.removeprefix(_TAG) for name in sorted(facts) if name.startswith(_TAG)],
    )


def merge(known: Facts, told: Facts, policy: Conflicts) -> Merge:
    """What a file's facts change of those known."""
    conflicting = {name for name, fact in told.items() if known.get(name, fact) != fact}
    taken: dict[str, str | None] = {}
    if policy is not Conflicts.KEEP:
        taken |= {name: fact for name, fact in told.items() if name not in known}
    if policy is Conflicts.OVERWRITE:
        taken |= {name: told[name] for name in conflicting}
    return Merge({name: known.get(name) for name in taken}, taken, bool(conflicting))


def changed(facts: Facts, after: Mapping[str, str | None]) -> Facts:
    """The facts once these have been changed."""
    merged: dict[str, str | None] = {**facts, **after}
    return {name: fact for name, fact in merged.items() if fact is not None}


def put_back(
    facts: Mapping[str, str | None], before: Mapping[str, str | None], after: Mapping[str, str | None]
) -> dict[str, str | None]:
    """The facts without that change; what has been changed again since then stays as it is."""
    return {
        **facts,
        **{name: before[name] for name, fact in after.items() if facts.get(name) == fact},
    }
