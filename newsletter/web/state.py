"""What every endpoint works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.tracking.buffer import EventBuffer
from newsletter.tracking.deliveries import link_targets
from newsletter.tracking.tokens import Tokens

KEPT_MAILINGS = 1000


@dataclass(slots=True)
class State:
    """The connections and keys of one web process."""

    settings: Settings
    database: Database
    events: EventBuffer
    tokens: Tokens
    outbox: Path | None = None
    _targets: dict[int, dict[int, str]] = field(default_factory=dict)

    def close(self) -> None:
        """Give the connections back."""
        self.database.close()
        self.events.close()

    def link_target(self, mailing_id: int, number: int) -> str | None:
        """Where link `number` of a mailing leads; None for a link it does not have."""
        if mailing_id not in self._targets:
            with self.database.read() as session:
                targets = link_targets(session, mailing_id)
            if not targets:
                return None
            while len(self._targets) >= KEPT_MAILINGS:
                self._targets.pop(next(iter(self._targets)), None)
            self._targets[mailing_id] = targets
        return self._targets[mailing_id].get(number)


def state_of(request: Request) -> State:
    """The state of the application that answers `request`."""
    state: State = request.app.state.newsletter
    return state
