"""claim -> merge -> build -> send -> settle, for one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.db import Database
from newsletter.errors import NewsletterError, UnavailableError
from newsletter.mail.outcome import Envelope, Outcome, Verdict
from newsletter.models import List, Mailing, Publication
from newsletter.rendering.content import Content
from newsletter.sending import ledger
from newsletter.sending.ledger import Claim, Settlement
from newsletter.sending.message import Addressee, MessageBuilder, Sender
from newsletter.sending.plan import Batch
from newsletter.tracking.tokens import Tokens

# Outcomes are written down this many at a time: what a worker can leave uncertain when it is killed.
SETTLE_SIZE = 20


class Transport(Protocol):
    """What hands messages over."""

    def send(self, envelope: Envelope) -> Outcome: ...


def deliver(
    database: Database,
    batch: Batch,
    transport: Transport,
    builders: Callable[[int], MessageBuilder],
    *,
    worker: str,
    clock: Callable[[], datetime],
) -> None:
    """Send what is due of a batch; harmless when run twice, late or never. No transaction spans the network."""
    with database.write() as session:
        claims = ledger.claim(session, batch, worker, clock())
    while claims:
        chunk, claims = claims[:SETTLE_SIZE], claims[SETTLE_SIZE:]
        settlements: list[Settlement] = []
        try:
            for settlement in _send(chunk, transport, builders(batch.mailing_id), clock):
                settlements.append(settlement)
        except UnavailableError as error:
            settlements += _deferred([*chunk[len(settlements) :], *claims], error)
            claims = []
        with database.write() as session:
            ledger.settle(session, settlements, worker, clock())
    with database.write() as session:
        ledger.close(session, batch.mailing_id, clock())


def _send(
    claims: Sequence[Claim], transport: Transport, builder: MessageBuilder, clock: Callable[[], datetime]
) -> Iterator[Settlement]:
    for claim in claims:
        addressee = Addressee(claim.delivery_id, claim.email, claim.first_name, claim.last_name, claim.attributes)
        try:
            envelope = builder.build(addressee, clock())
        except NewsletterError as error:
            yield Settlement(claim, Outcome(Verdict.REJECTED, f"no message could be built: {error}"))
        else:
            yield Settlement(claim, transport.send(envelope))


def _deferred(claims: Sequence[Claim], error: Exception) -> list[Settlement]:
    return [Settlement(claim, Outcome(Verdict.DEFERRED, str(error))) for claim in claims]


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
