"""claim -> merge -> build -> send -> settle, for one batch."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.db import Database
from newsletter.errors import NewsletterError, UnavailableError
from newsletter.mail.courier import Courier, Parcel
from newsletter.mail.outcome import Outcome, Verdict
from newsletter.models import List, Mailing, Publication
from newsletter.rendering.content import Content
from newsletter.sending import ledger
from newsletter.sending.journal import Journal
from newsletter.sending.ledger import Claim
from newsletter.sending.message import Addressee, MessageBuilder, Sender
from newsletter.sending.plan import Batch
from newsletter.sending.settle import Settlement, settle
from newsletter.tracking.tokens import Tokens

# Outcomes are written down this many at a time; until then the journal has them.
SETTLE_SIZE = 200


class Transport(Protocol):
    """What hands messages over."""

    def run(self, courier: Courier) -> None: ...


def deliver(
    database: Database,
    batch: Batch,
    transport: Transport,
    builders: Callable[[int], MessageBuilder],
    journal: Journal,
    clock: Callable[[], datetime],
) -> None:
    """Send what is due of a batch; harmless when run twice, late or never. No transaction spans the network."""
    with database.write() as session:
        claims = ledger.claim(session, batch, journal.owner, clock())
    if claims:
        books = _Books(database, journal, clock)
        courier = _ClaimCourier(claims, builders(batch.mailing_id), books)
        try:
            transport.run(courier)
        except UnavailableError as error:
            courier.put_off(error)
        books.write()
    with database.write() as session:
        ledger.close(session, batch.mailing_id, clock())


class _Books:
    """Outcomes on their way into the ledger."""

    def __init__(self, database: Database, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._database = database
        self.journal = journal
        self.clock = clock
        self._settlements: list[Settlement] = []

    def enter(self, claim: Claim, outcome: Outcome) -> None:
        self._settlements.append(Settlement(claim, outcome))
        if len(self._settlements) >= SETTLE_SIZE:
            self.write()

    def write(self) -> None:
        settlements, self._settlements = self._settlements, []
        if not settlements:
            return
        with self._database.write() as session:
            settle(session, settlements, self.journal.owner, self.clock())
        self.journal.clear()


class _ClaimCourier:
    """Builds a message for each claim as the transport asks for it, and books what becomes of it."""

    def __init__(self, claims: Sequence[Claim], builder: MessageBuilder, books: _Books) -> None:
        self._waiting = deque(claims)
        self._open = {claim.delivery_id: claim for claim in claims}
        self._builder = builder
        self._books = books

    def next_parcel(self) -> Parcel | None:
        while self._waiting:
            claim = self._waiting.popleft()
            try:
                envelope = self._builder.build(_addressee(claim), self._books.clock())
            except NewsletterError as error:
                self._settle(claim.delivery_id, Outcome(Verdict.REJECTED, f"no message could be built: {error}"))
            else:
                return Parcel(claim.delivery_id, envelope)
        return None

    def leaving(self, slot: int, key: int) -> None:
        self._books.journal.leaving(slot, key)

    def settled(self, slot: int, key: int, outcome: Outcome) -> None:
        self._books.journal.settled(slot, key, outcome)
        self._settle(key, outcome)

    def put_off(self, error: Exception) -> None:
        """Defer whatever the transport could not even try."""
        for key in list(self._open):
            self._settle(key, Outcome(Verdict.DEFERRED, str(error)))

    def _settle(self, key: int, outcome: Outcome) -> None:
        self._books.enter(self._open.pop(key), outcome)


def _addressee(claim: Claim) -> Addressee:
    return Addressee(claim.delivery_id, claim.email, claim.first_name, claim.last_name, claim.attributes)


def load_builder(session: Session, mailing_id: int, base_url: str, tokens: Tokens) -> MessageBuilder:
    """What builds a mailing's messages, from the compiled issue that was frozen with it."""
    content, *facts = session.execute(
        select(
            Mailing.content,
            Publication.slug,
            Publication.name,
            Publication.from_email,
            Publication.reply_to,
            List.slug,
            List.name,
        )
        .join(List, List.id == Mailing.list_id)
        .join(Publication, Publication.id == List.publication_id)
        .where(Mailing.id == mailing_id)
    ).one()
    return MessageBuilder(mailing_id, Content.from_json(content), Sender(*facts), base_url, tokens)
