"""A dry run: every message of a mailing is built and handed over, to a sink of our own; nothing is written down."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from newsletter.errors import NewsletterError
from newsletter.mail.courier import Parcel
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.mail.session import Features, open_session
from newsletter.mail.sink import Sink
from newsletter.mail.transport import SmtpTransport
from newsletter.models import Subscriber
from newsletter.sending.message import Addressee, MessageBuilder
from newsletter.sending.plan import ROWS_AT_A_TIME, people_of
from newsletter.smtp_url import SmtpAccount

ASK_SECONDS = 10.0
# Where everybody fails for the same reason, so many say enough.
KEPT_FAILURES = 1000


@dataclass(slots=True)
class Rehearsal:
    """What came of a dry run.

    `failed` recipients would not get their message; `failures` are the first KEPT_FAILURES of them, each with the
    reason.
    """

    audience: int = 0
    messages: int = 0
    bytes: int = 0
    largest_bytes: int = 0
    largest_for: str = ""
    seconds: float = 0.0
    failed: int = 0
    failures: list[tuple[str, str]] = field(default_factory=list)


def ask_features(account: SmtpAccount) -> Features:
    """What an account's server takes. Raises UnavailableError or ConfigError where it does not answer."""
    with closing(open_session(account, ASK_SECONDS)) as server:
        return Features.of(server)


def rehearse(
    session: Session,
    list_id: int,
    builder: MessageBuilder,
    servers: Sequence[Features],
    now: datetime,
    segment: str | None = None,
) -> Rehearsal:
    """Build and hand over the message of everyone a mailing to the list, or a segment of it, would go to now.

    Whoever one of the `servers` would not take a message for counts as failed.
    """
    courier = _Rehearsing(_addressees(session, list_id, segment, now), builder, servers, now)
    began = time.monotonic()
    with Sink() as sink, SmtpTransport(SmtpAccount(sink.host, sink.port)) as transport:
        transport.run(courier)
    courier.found.seconds = time.monotonic() - began
    return courier.found


def _addressees(session: Session, list_id: int, segment: str | None, now: datetime) -> Iterator[Addressee]:
    rows = session.execute(
        people_of(session, list_id, segment, now)
        .with_only_columns(
            Subscriber.id,
            Subscriber.email,
            Subscriber.first_name,
            Subscriber.last_name,
            Subscriber.attributes,
            Subscriber.language,
            Subscriber.timezone,
            Subscriber.tracking,
        )
        .order_by(Subscriber.id)
        .execution_options(yield_per=ROWS_AT_A_TIME)
    )
    return map(Addressee._make, rows)


class _Rehearsing:
    """The courier of a dry run."""

    def __init__(
        self, addressees: Iterator[Addressee], builder: MessageBuilder, servers: Sequence[Features], now: datetime
    ) -> None:
        self.found = Rehearsal()
        self._addressees = addressees
        self._builder = builder
        self._servers = servers
        self._now = now
        self._emails: dict[int, str] = {}

    def next_parcel(self) -> Parcel | None:
        for addressee in self._addressees:
            self.found.audience += 1
            try:
                envelope = self._builder.build(addressee, self._now)
            except NewsletterError as error:
                self._fail(addressee.email, f"no message can be built: {error}")
                continue
            self._measure(addressee.email, len(envelope.data))
            if objection := self._objection(envelope):
                self._fail(addressee.email, objection)
                continue
            self._emails[addressee.delivery_id] = addressee.email
            return Parcel(addressee.delivery_id, envelope)
        return None

    def leaving(self, slot: int, key: int) -> None:
        """Nothing hangs on it."""

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:  # noqa: ARG002
        email = self._emails.pop(key)
        if outcome.verdict is not Verdict.SENT:
            self._fail(email, outcome.reply)

    def _objection(self, envelope: Envelope) -> str:
        return next(filter(None, (server.objection(envelope) for server in self._servers)), "")

    def _measure(self, email: str, size: int) -> None:
        self.found.messages += 1
        self.found.bytes += size
        if size > self.found.largest_bytes:
            self.found.largest_bytes, self.found.largest_for = size, email

    def _fail(self, email: str, why: str) -> None:
        self.found.failed += 1
        if len(self.found.failures) < KEPT_FAILURES:
            self.found.failures.append((email, why))
