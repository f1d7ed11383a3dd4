"""What one worker process holds on to between tasks. Made on first use, so that nothing crosses a fork."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache

from newsletter.clock import utc_now
from newsletter.config import Settings
from newsletter.db import Database, moment
from newsletter.mail.dkim import DkimKey
from newsletter.mail.transport import SmtpTransport
from newsletter.mail.verp import Verp
from newsletter.queue import Queue, make_redis
from newsletter.sending.books import Books
from newsletter.sending.builders import dkim_keys, load_builder, verp_of
from newsletter.sending.carrier import Desk
from newsletter.sending.dispatch import Dispatcher
from newsletter.sending.draw import Hand, draw
from newsletter.sending.journal import Journal
from newsletter.sending.message import MessageBuilder
from newsletter.sending.notices import Postman
from newsletter.sending.settle import Patience
from newsletter.smtp_accounts import Account
from newsletter.tracking.buffer import EventBuffer
from newsletter.tracking.departures import Departures
from newsletter.tracking.targets import TargetStore
from newsletter.tracking.tokens import Tokens
from workers.celery import settings
from workers.draining import is_draining
from workers.leaving import let_all_leave

KEPT_BUILDERS = 8


@dataclass(slots=True)
class Resources:
    """Connections and compiled mailings of this process."""

    settings: Settings
    patience: Patience
    database: Database
    queue: Queue
    events: EventBuffer
    targets: TargetStore
    departures: Departures
    tokens: Tokens
    dispatcher: Dispatcher
    desk: Desk
    postman: Postman
    transports: dict[str, SmtpTransport] = field(default_factory=dict)
    # When the next sweep is worth its while, in monotonic seconds.
    sweeps_at: float = 0.0

    def transport(self, account: Account) -> SmtpTransport:
        """The connections to an account's server."""
        if account.name not in self.transports:
            self.transports[account.name] = SmtpTransport(account.smtp, connections=account.connections)
        return self.transports[account.name]


@cache
def resources() -> Resources:
    """This process's own."""
    database = Database(settings.database)
    tokens = Tokens.of(settings.secret())
    dispatcher = Dispatcher(settings.accounts)
    patience = Patience.of(settings)
    books = Books(database, Journal(settings.data_dir), moment, patience)
    dkim = dkim_keys(settings)
    departures = Departures(make_redis(settings))
    builders = _Builders(database, settings.base_url, tokens, dkim, verp_of(settings))

    def draw_next() -> Hand | None:
        let_all_leave(database, departures)
        with books.write() as (session, now):
            return draw(session, dispatcher, books.journal.owner, now)

    return Resources(
        settings=settings,
        patience=patience,
        database=database,
        queue=Queue(settings),
        events=EventBuffer(make_redis(settings)),
        targets=TargetStore(make_redis(settings)),
        departures=departures,
        tokens=tokens,
        dispatcher=dispatcher,
        desk=Desk(books, draw_next, builders.builder, utc_now, is_draining),
        postman=Postman(database, settings.secret(), settings.base_url, settings.accounts, dkim, moment),
    )


class _Builders:
    """The builders of the mailings under way; a mailing's content is frozen, so a kept one stays right."""

    def __init__(
        self, database: Database, base_url: str, tokens: Tokens, dkim: Sequence[DkimKey], verp: Verp | None
    ) -> None:
        self._database = database
        self._base_url = base_url
        self._tokens = tokens
        self._dkim = dkim
        self._verp = verp
        self._kept: dict[int, MessageBuilder] = {}

    def builder(self, mailing_id: int) -> MessageBuilder:
        if mailing_id not in self._kept:
            while len(self._kept) >= KEPT_BUILDERS:
                self._kept.pop(next(iter(self._kept)))
            with self._database.read() as session:
                self._kept[mailing_id] = load_builder(
                    session, mailing_id, self._base_url, self._tokens, self._dkim, self._verp
                )
        return self._kept[mailing_id]
