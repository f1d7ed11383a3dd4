"""A log as the buffer would have it, of a mailing that its readers were sent."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select, update

from newsletter.db import Database
from newsletter.models import Delivery, DeliveryState, Publication, Tracking
from newsletter.tracking.buffer import Noted
from newsletter.tracking.flush import flush
from tests.factories import make_mailing
from tests.unit.tracking.simulation import Log, Seen


def send(database: Database, log: Log, tracking: Tracking = Tracking.AGGREGATE, *, slug: str = "vendredi") -> int:
    """A mailing to all readers of a log, delivered when the log has it."""
    mailing_id = make_mailing(database, (address(reader) for reader in log.delivered), slug=slug)
    with database.write() as session:
        session.execute(update(Publication).values(tracking=tracking))
        for reader, delivered in log.delivered.items():
            mine = Delivery.email == address(reader)
            session.execute(
                update(Delivery).where(mine).values(state=DeliveryState.SENT, settled_at=delivered),
                execution_options={"synchronize_session": False},
            )
    return mailing_id


def noted(database: Database, mailing_id: int, lines: Iterable[Seen]) -> dict[str, tuple[Noted, Seen]]:
    """The lines as events, by their source."""
    with database.read() as session:
        of_mailing = Delivery.mailing_id == mailing_id
        deliveries = dict(session.execute(select(Delivery.email, Delivery.id).where(of_mailing)).all())
    found = {}
    for number, line in enumerate(lines):
        source = f"{int(line.at.timestamp() * 1000)}-{number}"
        delivery_id = deliveries[address(line.reader)]
        event = Noted(source, line.kind, mailing_id, delivery_id, line.link, line.user_agent, line.ip, line.method)
        found[source] = (event, line)
    return found


def flush_all(database: Database, events: list[Noted], size: int) -> None:
    """In portions, as they come."""
    for start in range(0, len(events), size):
        with database.write() as session:
            flush(session, events[start : start + size])


def address(reader: int) -> str:
    return f"reader{reader}@{'gmail.com' if reader % 3 else 'maison.example'}"
