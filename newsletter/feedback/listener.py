"""Where bounces arrive: an SMTP server that takes mail to our bounce mailbox only, and says 250 once SQL has it.

`python -m newsletter.feedback.listener` runs it where the setting `bounce_listen` says.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter.config import Settings, load_settings
from newsletter.db import Database, moment
from newsletter.errors import ConfigError, NewsletterError
from newsletter.feedback.record import apply_mail
from newsletter.feedback.trace import Traces

# Reports quote the message they are about, pictures and all.
LARGEST_BYTES = 4 << 20
IDLE_SECONDS = 60.0
MOST_RECIPIENTS = 100

log = structlog.get_logger()


class Door:
    """aiosmtpd's hooks."""

    def __init__(self, database: Database, traces: Traces, soft_bounces: int) -> None:
        self._database = database
        self._traces = traces
        self._soft_bounces = soft_bounces

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Ours are the mailbox itself and the envelope senders made of it."""
        is_mailbox = address.lower() == (self._traces.mailbox or "").lower()
        if not is_mailbox and self._traces.envelope(address) is None:
            return "550 5.1.1 no such mailbox"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Whatever goes wrong on our side, the sender keeps the message and tries again."""
        content = envelope.content or b""
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        try:
            await asyncio.to_thread(self._apply, data, list(envelope.rcpt_tos))
        except Exception as error:
            log.warning("bounce not taken", reason=str(error))
            return "451 4.3.0 not now, please try again"
        return "250 2.0.0 taken"

    def _apply(self, data: bytes, recipients: list[str]) -> None:
        with self._database.write() as session:
            for to in recipients:
                apply_mail(session, data, to, self._traces, moment(session), self._soft_bounces)


async def listen(settings: Settings, stopped: asyncio.Event) -> None:
    """Take bounces until `stopped`. Raises ConfigError where no mailbox or no place is set, or the place is taken."""
    if settings.bounce_mailbox is None or settings.bounce_listen is None:
        raise ConfigError("set bounce_mailbox and bounce_listen (docs/feedback.md)")
    database = Database(settings.database)
    door = Door(database, Traces(settings.secret(), settings.bounce_mailbox), settings.soft_bounces)
    host, _, port = settings.bounce_listen.rpartition(":")
    loop = asyncio.get_running_loop()

    def connected() -> SMTP:
        return SMTP(
            door,
            hostname=settings.bounce_mailbox.rpartition("@")[2] if settings.bounce_mailbox else None,
            ident="newsletter bounces",
            data_size_limit=LARGEST_BYTES,
            timeout=IDLE_SECONDS,
            enable_SMTPUTF8=True,
            loop=loop,
        )

    try:
        server = await loop.create_server(connected, host.strip("[]"), int(port))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise ConfigError(f"bounces: cannot listen on {settings.bounce_listen} ({reason}): choose another") from None
    try:
        await stopped.wait()
    finally:
        server.close()
        database.close()


async def until_signalled(settings: Settings) -> None:
    """Take bounces until SIGTERM or SIGINT."""
    stopped = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stopped.set)
    await listen(settings, stopped)


if __name__ == "__main__":
    try:
        asyncio.run(until_signalled(load_settings()))
    except NewsletterError as error:
        sys.exit(f"newsletter: {error}")
