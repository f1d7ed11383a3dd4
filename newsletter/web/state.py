"""What every endpoint works with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.queue import make_redis
from newsletter.tracking.deliveries import link_targets
from newsletter.tracking.notebook import PATIENCE_SECONDS, Notebook
from newsletter.tracking.resp import connector
from newsletter.tracking.targets import TargetCache, TargetStore
from newsletter.tracking.tokens import Tokens


@dataclass(slots=True)
class State:
    """The connections and keys of one web process."""

    settings: Settings
    database: Database
    tokens: Tokens
    notebook: Notebook
    target_store: TargetStore
    targets: TargetCache
    outbox: Path | None = None

    @classmethod
    def of(cls, settings: Settings, outbox: Path | None = None) -> State:
        """With `outbox`, the folder of a catch-all SMTP server. Nothing is connected yet."""
        database = Database(settings.database)
        store = TargetStore(make_redis(settings, PATIENCE_SECONDS))

        def targets_in_sql(mailing_id: int) -> dict[int, str]:
            with database.read() as session:
                return link_targets(session, mailing_id)

        return cls(
            settings=settings,
            database=database,
            tokens=Tokens.of(settings.secret()),
            notebook=Notebook(connector(settings.broker)),
            target_store=store,
            targets=TargetCache(store, targets_in_sql),
            outbox=outbox,
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self.notebook.close()
        self.target_store.close()
        self.database.close()


def state_of(request: Request) -> State:
    """The state of the application that answers `request`."""
    state: State = request.app.state.newsletter
    return state
