"""What one worker process holds on to between tasks. Made on first use, so that nothing crosses a fork."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.mail.transport import SmtpTransport
from newsletter.queue import Queue, make_redis
from newsletter.sending.deliver import load_builder
from newsletter.sending.journal import Journal
from newsletter.sending.message import MessageBuilder
from newsletter.tracking.events import EventBuffer
from newsletter.tracking.tokens import Tokens
from workers.celery import settings

KEPT_BUILDERS = 8


@dataclass(slots=True)
class Resources:
    """Connections and compiled mailings of this process."""

    settings: Settings
    database: Database
    queue: Queue
    events: EventBuffer
    transport: SmtpTransport
    tokens: Tokens
    journal: Journal
    _builders: dict[int, MessageBuilder] = field(default_factory=dict)

    def builder(self, mailing_id: int) -> MessageBuilder:
        """The builder of a mailing's messages; its content is frozen, so a kept one stays right."""
        if mailing_id not in self._builders:
            while len(self._builders) >= KEPT_BUILDERS:
                self._builders.pop(next(iter(self._builders)))
            with self.database.read() as session:
                builder = load_builder(session, mailing_id, self.settings.base_url, self.tokens)
            self._builders[mailing_id] = builder
        return self._builders[mailing_id]


@cache
def resources() -> Resources:
    """This process's own."""
    return Resources(
        settings=settings,
        database=Database(settings.database),
        queue=Queue(settings),
        events=EventBuffer(make_redis(settings)),
        transport=SmtpTransport(settings.smtp),
        tokens=Tokens.of(settings.secret()),
        journal=Journal(settings.data_dir),
    )
