"""A mailing to many, the workers that send it, and the proof, whatever happened to them, of who got what."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select, update

from newsletter import queue
from newsletter.config import Settings
from newsletter.db import Database, moment
from newsletter.models import Batch, Delivery, DeliveryState, Mailing, MailingStatus, Pace
from newsletter.queue import Queue
from newsletter.sending.receipt import Receipt, make_receipt
from newsletter.sending.verify import verify
from tests.factories import make_mailing
from tests.paths.steps import wait_until
from tests.servers.chaos_sink import ChaosSink
from tests.servers.worker import PROCESSES, Beat, Worker

SECONDS = 120.0
HURRY_SECONDS = 0.5
# Celery has tracebacks of its own, such as for a process that was killed.
_OWN_FRAME = re.compile(r'File ".*/(newsletter|workers)/\w')
SENT_OR_IN_DOUBT = frozenset({DeliveryState.SENT, DeliveryState.UNCERTAIN})


class Scene:
    """One mailing that is due, and as many workers, one after another or at once, as a test needs."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], sink: ChaosSink, folder: Path, recipients: int
    ) -> None:
        self.sink = sink
        self.emails = frozenset(f"reader{number}@example.org" for number in range(recipients))
        self.database = Database(settings.database)
        self.tasks = Queue(settings)
        self._environment = environment
        self._folder = folder
        self._workers: list[Worker] = []

    def __enter__(self) -> Self:
        self.mailing_id = make_mailing(self.database, sorted(self.emails), planned=False)
        self.tasks.put(queue.PLAN, self.mailing_id)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.tasks.close()
        self.database.close()

    def worker(
        self,
        environment: Mapping[str, str] | None = None,
        *,
        beat: bool = True,
        processes: int = PROCESSES,
        within: Sequence[str] = (),
    ) -> Worker:
        """Another worker, with a log of its own; `environment` goes before the scene's."""
        name = f"worker-{len(self._workers)}"
        everything = {**self._environment, **(environment or {})}
        worker = Worker(self._folder, everything, beat=beat, processes=processes, name=name, within=within)
        self._workers.append(worker)
        return worker

    def beat(self) -> Beat:
        """A beat apart from the workers."""
        return Beat(self._folder, self._environment)

    def wait_for_more(self, messages: int = 1, *, hurry: bool = False) -> None:
        """Until so many more messages have arrived."""
        enough = self._arrived + messages
        self._wait(lambda: self._arrived >= enough, f"{messages} more messages to arrive", hurry)

    def wait_for(self, status: MailingStatus, *, hurry: bool = False) -> None:
        """Until the mailing has come so far; in a `hurry` nothing waits for its time."""
        self._wait(lambda: self.mailing().status is status, f"the mailing to be {status.value}", hurry)

    def finish(self, *, hurry: bool = False) -> None:
        """Until the mailing has been sent; its workers are killed then, which is faster than to let them drain."""
        self.wait_for(MailingStatus.SENT, hurry=hurry)
        for worker in self._workers:
            if worker.process.running:
                worker.signal_all(signal.SIGKILL)

    def mailing(self) -> Mailing:
        """The mailing as it is now."""
        with self.database.read() as session:
            return session.get_one(Mailing, self.mailing_id)

    def states(self) -> dict[str, DeliveryState]:
        """What the ledger says of each recipient."""
        with self.database.read() as session:
            of_mailing = Delivery.mailing_id == self.mailing_id
            return dict(session.execute(select(Delivery.email, Delivery.state).where(of_mailing)).all())

    def prove(self, *, doubts: int, others: Mapping[str, DeliveryState] | None = None) -> Receipt:
        """Sink and ledger agree on everybody, with at most so many in doubt; `others` ended otherwise than sent."""
        received, states, apart = self.sink.counts(), self.states(), others or {}
        assert {email: times for email, times in received.items() if times > 1} == {}, "sent to twice"
        assert states.keys() == self.emails
        by_state = {state: {email for email, its in states.items() if its is state} for state in DeliveryState}
        sent, uncertain = by_state[DeliveryState.SENT], by_state[DeliveryState.UNCERTAIN]
        assert sent - received.keys() == set(), "sent, says the ledger, but not received"
        assert received.keys() - sent - uncertain == set(), "received, but not sent, says the ledger"
        assert {email: state for email, state in states.items() if state not in SENT_OR_IN_DOUBT} == apart
        assert len(uncertain) <= doubts, f"{len(uncertain)} in doubt: {sorted(uncertain)}"
        with self.database.read() as session:
            receipt = make_receipt(session, self.mailing_id)
            verify(session, receipt)
        assert set(receipt.uncertain) == uncertain
        assert "\n".join(self._own_tracebacks()) == ""
        return receipt

    def _wait(self, condition: Callable[[], bool], what: str, hurry: bool) -> None:
        hurries_at = time.monotonic()

        def is_so() -> bool:
            nonlocal hurries_at
            if hurry and time.monotonic() >= hurries_at:
                self._make_all_due()
                hurries_at = time.monotonic() + HURRY_SECONDS
            return condition()

        wait_until(is_so, f"{what}", SECONDS)

    def _make_all_due(self) -> None:
        """Time passes in the ledger: due times are rows, so moving them is as good as waiting for them."""
        for column in (Pace.closed_until, Delivery.due_at, Batch.due_at):
            with self.database.write() as session:
                now = moment(session)
                session.execute(update(column.class_).where(column > now).values({column: now}))

    def _own_tracebacks(self) -> list[str]:
        """Where exceptions came out of our own code, by the workers' logs."""
        return [line for worker in self._workers for line in worker.log.splitlines() if _OWN_FRAME.search(line)]

    @property
    def _arrived(self) -> int:
        return self.sink.counts().total()
