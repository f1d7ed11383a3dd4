"""What came back about a mailing's messages, each delivery counted once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session

from newsletter.models import SignalRecord

# Words of feedback.signal, which stands above this room.
BOUNCE, COMPLAINT, HARD, AUTHENTICATION = "bounce", "complaint", "hard", "authentication"


@dataclass(frozen=True, slots=True)
class Returned:
    """How many deliveries bounced for good (`hard`) or only for other reasons (`soft`), and how many readers
    complained.
    """

    hard: int = 0
    soft: int = 0
    complaints: int = 0


def is_hard() -> ColumnElement[bool]:
    return and_(SignalRecord.kind == BOUNCE, SignalRecord.severity == HARD)


def is_complaint() -> ColumnElement[bool]:
    """A receiver's report of failed authentication has the form of a complaint, and nobody complained."""
    return and_(SignalRecord.kind == COMPLAINT, SignalRecord.reason != AUTHENTICATION)


def returned(session: Session, mailing_id: int) -> Returned:
    """What came back about a mailing. A delivery that bounced both ways is hard; somebody forgotten is left out."""
    each = (
        select(
            func.max(case((is_hard(), 2), (SignalRecord.kind == BOUNCE, 1), else_=0)).label("bounce"),
            func.max(case((is_complaint(), 1), else_=0)).label("complaint"),
        )
        .where(SignalRecord.mailing_id == mailing_id, SignalRecord.delivery_id.is_not(None))
        .group_by(SignalRecord.delivery_id)
        .subquery()
    )
    rows = each.c
    hard, soft, complaints = session.execute(
        select(
            func.count().filter(rows.bounce == 2),
            func.count().filter(rows.bounce == 1),
            func.count().filter(rows.complaint == 1),
        )
    ).one()
    return Returned(hard, soft, complaints)
