"""What passes between those who have messages and the connections that carry them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from newsletter.mail.outcome import Envelope, Outcome, Verdict


class Lost(Exception):
    """The connection is of no more use; `reply` are the server's own words, if it had any."""

    def __init__(self, reason: str, reply: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.reply = reply


@dataclass(slots=True, eq=False)
class Parcel:
    """A message on its way; `key` is what its sender knows it by."""

    key: int
    envelope: Envelope


class Courier(Protocol):
    """Who has the messages and hears what becomes of them."""

    def next_parcel(self) -> Parcel | None:
        """The next message. After None it is not asked again: what is under way comes to its end."""

    def leaving(self, slot: int, key: int) -> None:
        """The data of `key` is about to leave on connection `slot`: from here on silence means doubt."""

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:
        """What became of `key`, once for each parcel taken."""


class Queue:
    """A courier whose parcels may come back."""

    def __init__(self, courier: Courier) -> None:
        self.leaving = courier.leaving
        self.settled = courier.settled
        self._courier = courier
        self._waiting: deque[Parcel] = deque()
        self._has_ended = False

    @property
    def is_waiting(self) -> bool:
        """Whether a parcel has come back, or was looked at, and is to be taken."""
        return bool(self._waiting)

    @property
    def may_have_more(self) -> bool:
        """False once nothing is left; to be certain of more, ask `has_more`."""
        return bool(self._waiting) or not self._has_ended

    def has_more(self) -> bool:
        """Whether there is a parcel to be taken."""
        if not self._waiting and (parcel := self.next_parcel()):
            self._waiting.append(parcel)
        return bool(self._waiting)

    def next_parcel(self) -> Parcel | None:
        if self._waiting:
            return self._waiting.popleft()
        parcel = None if self._has_ended else self._courier.next_parcel()
        self._has_ended = parcel is None
        return parcel

    def give_back(self, slot: int, parcel: Parcel, words: str, *, again: bool) -> None:
        """Take back a parcel that was not sent, to try it `again` on another connection or to put it off."""
        if again:
            self._waiting.appendleft(parcel)
        else:
            self.settled(slot, parcel.key, Outcome(Verdict.DEFERRED, words))


class Single:
    """The courier of one message, or of none."""

    def __init__(self, parcel: Parcel | None = None) -> None:
        self._parcel = parcel
        self.outcome = Outcome(Verdict.DEFERRED, "not tried")

    def next_parcel(self) -> Parcel | None:
        parcel, self._parcel = self._parcel, None
        return parcel

    def leaving(self, slot: int, key: int) -> None:
        """Nobody waits to hear it."""

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:  # noqa: ARG002
        self.outcome = outcome
