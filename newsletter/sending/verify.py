"""A receipt checked against the ledger: everything is counted and hashed again, row by row."""

from __future__ import annotations

from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from newsletter.errors import ConflictError
from newsletter.models import Batch, Mailing
from newsletter.sending.ledger import Taken
from newsletter.sending.plan import frozen
from newsletter.sending.receipt import Receipt
from newsletter.sending.seal import SEAL_BYTES, chain, digest_of


def verify(session: Session, receipt: Receipt) -> None:
    """Hash the ledger again. Raises ConflictError that names the first row that does not fit the receipt."""
    mailing_id = receipt.mailing_id
    pruned_at = session.scalar(select(Mailing.pruned_at).where(Mailing.id == mailing_id))
    if pruned_at:
        raise ConflictError(
            f"mailing {mailing_id} was pruned on {pruned_at:%Y-%m-%d}: its rows are gone, its receipt stays"
        )
    if not receipt.is_closed:
        raise ConflictError(
            f"mailing {mailing_id} is {receipt.status.value}: its outcomes are sealed once it is closed"
        )
    batches = session.scalars(
        select(Batch).where(Batch.mailing_id == mailing_id).options(undefer(Batch.seals)).order_by(Batch.id)
    ).all()
    for batch in batches:
        _check_batch(session, batch)
    _check_audience(session, receipt, batches[0].first_id if batches else 1)
    if digest_of(str(batch.digest) for batch in batches) != receipt.outcomes_digest or not receipt.adds_up:
        raise ConflictError(
            f"mailing {mailing_id}: every row fits its batch, but not all batches are those of the receipt"
        )


def _check_batch(session: Session, batch: Batch) -> None:
    seals = batch.seals or b""
    taken = Taken(batch.id, batch.mailing_id, batch.first_id, batch.last_id)
    place = 0
    last = b""
    for row, last in chain(session, taken.holds()):
        if seals[place : place + SEAL_BYTES] != last[:SEAL_BYTES]:
            raise ConflictError(
                f"mailing {batch.mailing_id}: the row of {row.email} (delivery {row.id}, {row.state}) does not fit: "
                "it was changed since it was sealed, or one just before it was taken out"
            )
        place += SEAL_BYTES
    if place < len(seals):
        raise ConflictError(
            f"mailing {batch.mailing_id}: {(len(seals) - place) // SEAL_BYTES} rows are missing before delivery "
            f"{batch.last_id + 1}"
        )
    if last.hex() != batch.digest:
        raise ConflictError(
            f"mailing {batch.mailing_id}: the seals of deliveries {batch.first_id} to {batch.last_id} were changed"
        )


def _check_audience(session: Session, receipt: Receipt, first_id: int) -> None:
    digest = sha256()
    size = 0
    for _, line in frozen(session, receipt.mailing_id, after=first_id - 1):
        digest.update(line.encode())
        size += 1
    if (size, digest.hexdigest()) != (receipt.audience, receipt.audience_digest):
        raise ConflictError(
            f"mailing {receipt.mailing_id}: the {size:,} recipients in the ledger are not the {receipt.audience:,} "
            "that the audience was frozen with"
        )
