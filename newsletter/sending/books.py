"""A worker's outcomes on their way into the ledger: kept, here and in its journal, until the database has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.db import Database
from newsletter.errors import UnavailableError
from newsletter.sending.journal import Journal
from newsletter.sending.ledger import Taken, put_back
from newsletter.sending.recover import settle_for
from newsletter.sending.settle import Patience, Settlement, settle

# Outcomes are written down this many at a time; until then the journal has them.
SETTLE_SIZE = 500

Clock = Callable[[Session], datetime]


@dataclass(slots=True)
class OpenBatch:
    """A batch this worker has: how many of its claims have no outcome yet, and what the unclaimed rest waits for."""

    taken: Taken
    open: int
    waits_for: str | None = None
    not_before: datetime | None = None


class Books:
    """The outcomes of one worker process; they outlast its turns, for a database may be away for a while."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        clock: Clock,
        patience: Patience,
    ) -> None:
        self.journal = journal
        self._database = database
        self._clock = clock
        self._patience = patience
        self._settlements: list[Settlement] = []
        self._finished: list[OpenBatch] = []
        # Whether a turn broke off: the ledger may say that we hold what we do not.
        self._is_in_doubt = False

    @contextmanager
    def write(self) -> Iterator[tuple[Session, datetime]]:
        """A transaction and its time. Raises UnavailableError where it may or may not have happened."""
        try:
            with self._database.write() as session:
                yield session, self._clock(session)
        except UnavailableError:
            self._is_in_doubt = True
            raise

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A look at the ledger. Raises UnavailableError."""
        with self._database.read() as session:
            yield session

    @property
    def are_full(self) -> bool:
        return len(self._settlements) >= SETTLE_SIZE

    def enter(self, settlement: Settlement) -> None:
        """Take down what became of a claim."""
        self._settlements.append(settlement)

    def finish(self, batch: OpenBatch) -> None:
        """A batch of which nothing is under way any more; claims on it without an outcome were not sent."""
        self._finished.append(batch)

    def post(self) -> None:
        """Bring everything into the ledger. Raises UnavailableError, and forgets nothing, where that cannot be."""
        if not self._settlements and not self._finished:
            return
        owner = self.journal.owner
        with self.write() as (session, now):
            settle(session, self._settlements, owner, now, self._patience)
            for batch in self._finished:
                put_back(session, batch.taken, owner, now, not_before=batch.not_before, waits_for=batch.waits_for)
        self._settlements.clear()
        self._finished.clear()
        self.journal.clear()

    def open(self) -> None:
        """Begin a turn with nothing in hand. What one that broke off left behind is settled by our own journal."""
        self.post()
        if self._is_in_doubt:
            with self.write() as (session, now):
                settle_for(session, self.journal.testimony(), now, self._patience)
            self.journal.wipe()
            self._is_in_doubt = False

    def doubt(self) -> None:
        """A turn broke off."""
        self._is_in_doubt = True
