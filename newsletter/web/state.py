"""What every endpoint works with."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

from starlette.requests import Request

from newsletter.audience.links import ReaderLinks
from newsletter.config import Settings
from newsletter.db import Database
from newsletter.queue import make_redis
from newsletter.tracking.deliveries import link_targets
from newsletter.tracking.departures import Departures
from newsletter.tracking.losses import Losses
from newsletter.tracking.notebook import PATIENCE_SECONDS, Notebook
from newsletter.tracking.resp import connector
from newsletter.tracking.targets import TargetCache, TargetStore
from newsletter.tracking.tokens import Tokens
from newsletter.web.limits import Limits


@dataclass(slots=True)
class State:
    """The connections and keys of one web process."""

    settings: Settings
    database: Database
    tokens: Tokens
    links: ReaderLinks
    limits: Limits
    notebook: Notebook
    target_store: TargetStore
    departures: Departures
    targets: TargetCache
    outbox: Path | None = None
    # Of services that sign their webhooks, by their pinned address.
    certificates: dict[str, bytes] = field(default_factory=dict)
    # Whom such services' certificates are fetched from, this machine trusts.
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

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
            links=ReaderLinks(settings.secret(), settings.base_url),
            limits=Limits(make_redis(settings), settings.secret()),
            notebook=Notebook(connector(settings.broker), Losses(settings.data_dir)),
            target_store=store,
            departures=Departures(make_redis(settings, PATIENCE_SECONDS)),
            targets=TargetCache(store, targets_in_sql),
            outbox=outbox,
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self.notebook.close()
        self.target_store.close()
        self.departures.close()
        self.database.close()
        self.limits.close()


def state_of(request: Request) -> State:
    """The state of the application that answers `request`."""
    state: State = request.app.state.newsletter
    return state
