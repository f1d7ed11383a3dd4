"""How benchmarks report: one line a figure, and exit status 1 when one falls short."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """A measured value with the least (or, with `at_most`, the most) it may be."""

    name: str
    value: float
    unit: str
    bar: float
    at_most: bool = False

    @property
    def holds(self) -> bool:
        return self.value <= self.bar if self.at_most else self.value >= self.bar

    def __str__(self) -> str:
        sign = "<=" if self.at_most else ">="
        verdict = "ok" if self.holds else "SHORT"
        return f"{self.name} {self.value:.4g} {self.unit} (bar {sign} {self.bar:g}) {verdict}"


def report(figures: Sequence[Figure]) -> None:
    """Print every figure; exit with 1 when one falls short."""
    for figure in figures:
        print(figure, flush=True)
    if not all(figure.holds for figure in figures):
        sys.exit(1)


def cpu_seconds_a_call(call: Callable[[], object], calls: int, rounds: int = 5) -> float:
    """The median over rounds of this process's CPU seconds for one call."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        for _ in range(calls):
            call()
        taken.append((time.process_time() - start) / calls)
    return median(taken)
