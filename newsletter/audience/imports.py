"""CSV -> subscribers: the good rows of one file are put on a list; nobody who left is brought back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from newsletter.audience.csvfile import CsvFile, Fault, Row
from newsletter.models import Import, List, Subscriber, Subscription, SubscriptionStatus

CHUNK = 500


@dataclass(slots=True)
class ImportReport:
    """What became of the rows of a file; `faults` are those that did not go in."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    kept_unsubscribed: int = 0
    faults: list[Fault] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return self.added + self.updated + self.unchanged + self.kept_unsubscribed + len(self.faults)


def run_import(
    session: Session, mailing_list: List, file: CsvFile, now: datetime, on_line: Callable[[int], None]
) -> ImportReport:
    """Put the rows on the list in the session's transaction, so that all of them go in or none.

    Blank cells never blank what is known. `on_line` hears how far down the file reading has come.
    """
    report = ImportReport()
    consent = f"imported from {Path(file.path).name}"
    rows = iter(_good_rows(file, report, on_line))
    while chunk := list(islice(rows, CHUNK)):
        _put(session, mailing_list, chunk, consent, now, report)
    on_line(file.line_count)
    mailing_list.attribute_names = sorted({*mailing_list.attribute_names, *file.attribute_names})
    session.add(
        Import(
            list_id=mailing_list.id,
            file_name=Path(file.path).name,
            rows=report.rows,
            added=report.added,
            updated=report.updated,
            unchanged=report.unchanged,
            kept_unsubscribed=report.kept_unsubscribed,
            refused=len(report.faults),
            created_at=now,
        )
    )
    session.flush()
    return report


def _good_rows(file: CsvFile, report: ImportReport, on_line: Callable[[int], None]) -> Iterable[Row]:
    for row in file.rows():
        on_line(row.line)
        if isinstance(row, Fault):
            report.faults.append(row)
        else:
            yield row


def _put(
    session: Session, mailing_list: List, rows: Sequence[Row], consent: str, now: datetime, report: ImportReport
) -> None:
    emails = [row.email for row in rows]
    known = {found.email: found for found in session.scalars(select(Subscriber).where(Subscriber.email.in_(emails)))}
    changed = {row.email for row in rows if row.email in known and _update(known[row.email], row)}
    ids = {email: subscriber.id for email, subscriber in known.items()}
    ids |= _insert_subscribers(session, [row for row in rows if row.email not in known], now)
    status = dict(
        session.execute(
            select(Subscription.subscriber_id, Subscription.status).where(
                Subscription.list_id == mailing_list.id, Subscription.subscriber_id.in_(ids.values())
            )
        ).all()
    )
    joining = []
    for row in rows:
        match status.get(ids[row.email]):
            case None:
                joining.append(ids[row.email])
                report.added += 1
            case SubscriptionStatus.UNSUBSCRIBED:
                report.kept_unsubscribed += 1
            case _ if row.email in changed:
                report.updated += 1
            case _:
                report.unchanged += 1
    if joining:
        session.execute(
            insert(Subscription),
            [
                {
                    "list_id": mailing_list.id,
                    "subscriber_id": subscriber_id,
                    "status": SubscriptionStatus.ACTIVE,
                    "consent": consent,
                    "subscribed_at": now,
                }
                for subscriber_id in joining
            ],
        )


def _update(subscriber: Subscriber, row: Row) -> bool:
    """Take over what the row knows better; whether that changed anything."""
    attributes = {**subscriber.attributes, **row.attributes}
    wanted = (row.first_name or subscriber.first_name, row.last_name or subscriber.last_name, attributes)
    if wanted == (subscriber.first_name, subscriber.last_name, subscriber.attributes):
        return False
    subscriber.first_name, subscriber.last_name, subscriber.attributes = wanted
    return True


def _insert_subscribers(session: Session, rows: Sequence[Row], now: datetime) -> dict[str, int]:
    if not rows:
        return {}
    values = [
        {
            "email": row.email,
            "first_name": row.first_name,
            "last_name": row.last_name,
            "attributes": row.attributes,
            "created_at": now,
        }
        for row in rows
    ]
    inserted = session.execute(insert(Subscriber).returning(Subscriber.email, Subscriber.id), values)
    return dict(inserted.all())
