"""A courier for tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from newsletter.mail.courier import Parcel
from newsletter.mail.outcome import Envelope, Outcome, Verdict


class Bag:
    """Hands out letters, whose keys are 0, 1, 2 …, and keeps a book of what it hears."""

    def __init__(self, letters: Iterable[Envelope]) -> None:
        self._letters = iter(letters)
        self.taken = 0
        self.left: list[int] = []
        self.outcomes: dict[int, Outcome] = {}
        self.slots: set[int] = set()

    def next_parcel(self) -> Parcel | None:
        letter = next(self._letters, None)
        if letter is None:
            return None
        self.taken += 1
        return Parcel(self.taken - 1, letter)

    def leaving(self, slot: int, key: int) -> None:
        self.slots.add(slot)
        self.left.append(key)

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:
        assert key < self.taken
        assert key not in self.outcomes
        self.slots.add(slot)
        self.outcomes[key] = outcome

    @property
    def verdicts(self) -> Counter[Verdict]:
        return Counter(outcome.verdict for outcome in self.outcomes.values())
