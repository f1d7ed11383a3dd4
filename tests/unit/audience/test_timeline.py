from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from newsletter.audience.timeline import Moment, place_of, read_place, timeline
from newsletter.db import Database
from newsletter.models import Delivery, Event, EventKind, Verdict
from tests.factories import NOW, make_mailing


def test_what_machines_and_proxies_did_is_told_as_theirs_page_by_page(database: Database) -> None:
    mailing_id = make_mailing(database, ["ada@example.org"])
    seen = (
        (EventKind.OPEN, Verdict.PROXY, "proxy", "Mozilla/5.0"),
        (EventKind.OPEN, Verdict.PERSON, "", "Firefox"),
        (EventKind.CLICK, Verdict.MACHINE, "trap", "curl"),
    )
    with database.write() as session:
        delivery = session.scalars(select(Delivery)).one()
        for number, (kind, verdict, reason, agent) in enumerate(seen):
            session.add(
                Event(
                    mailing_id=mailing_id,
                    delivery_id=delivery.id,
                    kind=kind,
                    verdict=verdict,
                    verdict_reason=reason,
                    user_agent=agent,
                    occurred_at=NOW + timedelta(minutes=number + 1),
                    source=str(number),
                )
            )
    found: list[Moment] = []
    with database.read() as session:
        while page := timeline(
            session, delivery.subscriber_id, 2, read_place(place_of(found[-1])) if found else None
        ):
            found += page
    assert [(one.what, one.words) for one in found if one.kind == "event"] == [
        ("click", "machine (trap): curl"),
        ("open", "Firefox"),
        ("open", "proxy (proxy): Mozilla/5.0"),
    ]
    assert found[-1].what == "subscribed"
