"""What became of the rows of a file, in counts and samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

SAMPLES = 20


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: where it stands and whose it is, or what is said of it."""

    file: str
    line: int
    words: str


@dataclass(slots=True)
class Report:
    """Every row is counted once in the first block; `conflicting` and `warnings` say more of some of them.

    added: on the list from now on. updated, unchanged: on it before. suppressed: the file says that they left,
    bounced or complained, so that they are never mailed. kept_unsubscribed, kept_suppressed: known to have left or to
    be suppressed, here or by an export of ours, and left so. duplicates: rows about somebody whom another row is
    about. erased: rows about somebody who was forgotten at their own wish. refused: faulty rows.
    """

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    suppressed: int = 0
    kept_unsubscribed: int = 0
    kept_suppressed: int = 0
    duplicates: int = 0
    erased: int = 0
    refused: int = 0

    conflicting: int = 0
    warnings: dict[str, int] = field(default_factory=dict)
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(getattr(self, name) for name in OUTCOMES)

    def count(self, outcome: str, by: int = 1) -> None:
        setattr(self, outcome, getattr(self, outcome) + by)

    def warn(self, kind: str) -> None:
        self.warnings[kind] = self.warnings.get(kind, 0) + 1

    def wants(self, outcome: str) -> int:
        """How many more samples there is room for."""
        return SAMPLES - len(self.samples.get(outcome, ()))

    def show(self, outcome: str, samples: Iterable[Sample]) -> None:
        """Keep samples as long as there is room for them."""
        kept = self.samples.setdefault(outcome, [])
        kept += list(samples)[: SAMPLES - len(kept)]

    def facts(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {"rows": self.rows, **asdict(self)}


OUTCOMES = (
    "added",
    "updated",
    "unchanged",
    "suppressed",
    "kept_unsubscribed",
    "kept_suppressed",
    "duplicates",
    "erased",
    "refused",
)


def report_of(facts: Mapping[str, Any]) -> Report:
    """A report from what `Report.facts` gave."""
    samples = {name: [Sample(**sample) for sample in found] for name, found in facts.get("samples", {}).items()}
    known = {name: fact for name, fact in facts.items() if name not in ("rows", "samples")}
    return Report(**known, samples=samples)
