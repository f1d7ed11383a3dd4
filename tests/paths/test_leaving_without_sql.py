from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import select

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.models import Delivery, DeliveryState, Mailing, MailingStatus
from newsletter.queue import make_redis
from newsletter.settings_sources import PREFIX
from newsletter.tracking.departures import Departures
from newsletter.tracking.tokens import Target
from tests.factories import make_mailing
from tests.paths.steps import wait_until
from tests.servers.worker import Worker


def test_nothing_is_sent_to_whoever_left_while_sql_was_away(settings: Settings, tmp_path: Path) -> None:
    database = Database(settings.database)
    mailing_id = make_mailing(database)
    with database.read() as session:
        leaving = session.scalars(select(Delivery).order_by(Delivery.id)).first()
    assert leaving is not None
    departures = Departures(make_redis(settings))
    departures.keep(Target(mailing_id, leaving.id), "Gmail", "192.0.2.7")

    def is_sent() -> bool:
        with database.read() as session:
            return session.get_one(Mailing, mailing_id).status is MailingStatus.SENT

    environment = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    with Worker(tmp_path, environment):
        wait_until(is_sent, "the mailing to be sent")
    with database.read() as session:
        states = dict(session.execute(select(Delivery.email, Delivery.state)).all())
    assert states.pop(leaving.email) is DeliveryState.SUPPRESSED
    assert set(states.values()) == {DeliveryState.SENT}
    assert departures.waiting() == []
    departures.close()
    database.close()
