"""`make bench-returned`: how much of a collection of returned mail is read as somebody else says it should be.

FOLDER holds messages, one a file. EXPECTED is CSV with the columns `file`, `address`, `class` (hard, soft, complaint)
and `reasons` (ours, any of which will do, apart by blanks), a line for each recipient; an empty address stands for a
complaint that names nobody. A file that reports success has one line whose other columns are empty.
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from newsletter.feedback.read import read
from newsletter.feedback.signal import Kind, Signal
from tests.bench.figures import Figure, report

COMPLAINT = "complaint"


@dataclass(frozen=True, slots=True)
class Expected:
    address: str
    klass: str
    reasons: tuple[str, ...]


def main(arguments: list[str]) -> None:
    if len(arguments) != 2:
        sys.exit("usage: make bench-returned ARGS='FOLDER EXPECTED.csv'")
    folder, table = map(Path, arguments)
    right: dict[str, list[bool]] = defaultdict(list)
    for name, expected in load(table).items():
        for what, holds in judge(read((folder / name).read_bytes()), expected):
            right[what].append(holds)
            if not holds:
                print(f"{name}: {what}")
    for what, all_of_it in right.items():
        print(f"{what}: {sum(all_of_it)} of {len(all_of_it)}")
    report([Figure(what, 100 * sum(each) / len(each), "%", 92) for what, each in right.items()])


def load(table: Path) -> dict[str, list[Expected]]:
    """Who is expected by file, in the table's order."""
    files: dict[str, list[Expected]] = {}
    with table.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            expected = files.setdefault(row["file"], [])
            if row["class"]:
                expected.append(Expected(row["address"].lower(), row["class"], tuple(row["reasons"].split())))
    return files


def judge(signals: list[Signal], expected: list[Expected]) -> list[tuple[str, bool]]:
    """Each question about one file, and whether its answer is the expected one."""
    if any(one.klass == COMPLAINT for one in expected):
        told = {(one.address.lower(), one.reason.value) for one in signals if one.kind is Kind.COMPLAINT}
        return [("complaints", told == {(one.address, reason) for one in expected for reason in one.reasons})]
    found = {one.address.lower(): one for one in signals if one.kind is Kind.BOUNCE}
    verdicts = [("recipients", found.keys() == {one.address for one in expected})]
    for one in expected:
        signal = found.get(one.address)
        verdicts.append(("hard or soft", signal is not None and signal.severity.value == one.klass))
        verdicts.append(("reasons", signal is not None and signal.reason.value in one.reasons))
    return verdicts


if __name__ == "__main__":
    main(sys.argv[1:])
