"""What came back and could not be used, counted by the day."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from newsletter.db import insert_into
from newsletter.models import SignalCount


class Unused(StrEnum):
    """Why something that came back changed nothing."""

    # The service it names did not send it, or not now.
    FORGED = "forged"
    # Nobody we sent anything to lately.
    UNKNOWN = "unknown"
    # Known already.
    REPLAYED = "replayed"
    # Not a bounce, a complaint or an answer.
    UNREAD = "unread"


def count(session: Session, via: str, outcome: Unused, now: datetime, signals: int = 1) -> None:
    """Add to what came by one way on the day of `now` (UTC)."""
    fresh = insert_into(session, SignalCount).values(via=via, outcome=outcome.value, day=now.date(), signals=signals)
    session.execute(
        fresh.on_conflict_do_update(
            index_elements=["via", "outcome", "day"], set_={"signals": SignalCount.signals + fresh.excluded.signals}
        )
    )


def counts(session: Session) -> list[SignalCount]:
    """All counts, the latest day first."""
    order = SignalCount.day.desc(), SignalCount.via, SignalCount.outcome
    return list(session.scalars(select(SignalCount).order_by(*order)))
