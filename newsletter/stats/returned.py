"""What came back about a mailing's messages, each delivery counted once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Subquery, and_, case, func, select
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


_IS_HARD = and_(SignalRecord.kind == BOUNCE, SignalRecord.severity == HARD)
# A receiver's report of failed authentication has the form of a complaint, and nobody complained.
_IS_COMPLAINT = and_(SignalRecord.kind == COMPLAINT, SignalRecord.reason != AUTHENTICATION)


def by_delivery(mailing_id: int) -> Subquery:
    """A row for each delivery of a mailing that something came back about: `delivery_id`, `bounce` (2 for a hard one,
    else 1, or 0) and `complaint`.
    """
    return (
        select(
            SignalRecord.delivery_id,
            func.max(case((_IS_HARD, 2), (SignalRecord.kind == BOUNCE, 1), else_=0)).label("bounce"),
            func.max(case((_IS_COMPLAINT, 1), else_=0)).label("complaint"),
        )
        .where(SignalRecord.mailing_id == mailing_id, SignalRecord.delivery_id.is_not(None))
        .group_by(SignalRecord.delivery_id)
        .subquery()
    )


def counts(each: Subquery) -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    """How many of such rows are hard bounces, soft ones and complaints."""
    return (
        func.count().filter(each.c.bounce == 2),
        func.count().filter(each.c.bounce == 1),
        func.count().filter(each.c.complaint == 1),
    )


def returned(session: Session, mailing_id: int) -> Returned:
    """What came back about a mailing. A delivery that bounced both ways is hard; somebody forgotten is left out."""
    return Returned(*session.execute(select(*counts(by_delivery(mailing_id)))).one())
