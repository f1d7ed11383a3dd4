"""Notices when a server refuses everything, so that a mailing stops before its audience is spent."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from newsletter.mail.outcome import Outcome, Verdict
from newsletter.mail.refusals import ABOUT_THE_RECIPIENT, classify

# Refusals in a row that say nothing of the recipient, and of any kind: dead addresses may stand side by side.
REFUSED_IN_A_ROW = 20
FAILED_IN_A_ROW = 100
DEFERRED_IN_A_ROW = 20
KEPT_MAILINGS = 64


@dataclass(slots=True)
class _Run:
    """What has come back since the last message of a mailing that was taken."""

    refused: list[int] = field(default_factory=list)
    failed: int = 0
    deferred: int = 0


@dataclass(frozen=True, slots=True)
class Trip:
    """The server refuses everything: what it said last, and the deliveries to be tried again once that is mended."""

    reply: str
    in_a_row: int
    refused: tuple[int, ...]


class Breaker:
    """Counts for one worker process."""

    def __init__(self) -> None:
        self._runs: OrderedDict[int, _Run] = OrderedDict()

    def note(self, mailing_id: int, delivery_id: int, outcome: Outcome) -> Trip | None:
        """Count an outcome; the trip, where it is one refusal too many."""
        if outcome.verdict is Verdict.SENT:
            self._runs.pop(mailing_id, None)
            return None
        run = self._run(mailing_id)
        if outcome.verdict is Verdict.DEFERRED:
            run.deferred += 1
        if outcome.verdict is not Verdict.REJECTED:
            return None
        run.failed += 1
        if classify(outcome.reply) not in ABOUT_THE_RECIPIENT:
            run.refused.append(delivery_id)
        if len(run.refused) < REFUSED_IN_A_ROW and run.failed < FAILED_IN_A_ROW:
            return None
        del self._runs[mailing_id]
        return Trip(outcome.reply, run.failed, tuple(run.refused))

    def must_rest(self, mailing_id: int) -> bool:
        """Whether so many were deferred in a row that the server had better be left alone for a while."""
        run = self._runs.get(mailing_id)
        if run is None or run.deferred < DEFERRED_IN_A_ROW:
            return False
        run.deferred = 0
        return True

    def _run(self, mailing_id: int) -> _Run:
        if mailing_id not in self._runs:
            while len(self._runs) >= KEPT_MAILINGS:
                self._runs.popitem(last=False)
            self._runs[mailing_id] = _Run()
        return self._runs[mailing_id]
