"""The proof, whatever was killed meanwhile, that every event answered is in SQL once or counted as lost."""

from __future__ import annotations

import http.client
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Self

from redis.exceptions import RedisError
from sqlalchemy import select, update

from newsletter.config import Settings
from newsletter.db import Database
from newsletter.embedded.processes import Command, Process
from newsletter.models import (
    Delivery,
    Event,
    EventKind,
    Link,
    Mailing,
    Publication,
    Subscription,
    SubscriptionStatus,
    Tracking,
)
from newsletter.queue import make_redis
from newsletter.sending import control
from newsletter.settings_sources import PREFIX
from newsletter.tracking import buffer, departures
from newsletter.tracking.buffer import EventBuffer
from newsletter.tracking.tokens import Tokens
from tests.chaos.readers import HOST, Diary, Readers, Visit, visits
from tests.factories import make_mailing
from tests.paths.steps import wait_until
from tests.servers.postgres import free_port
from tests.servers.worker import Worker

SECONDS = 90.0
STOP_SECONDS = 20.0
TELLING_SECONDS = 10.0


class Storm:
    """A mailing whose readers come, and what is left of it in the database and the buffer."""

    def __init__(self, settings: Settings, recipients: int, random: Random, port: int | None = None) -> None:
        self.settings = settings
        self.port = port or free_port(HOST)
        self._random = random
        self._recipients = recipients
        self._database = Database(settings.database)
        self._redis = make_redis(settings)

    def __enter__(self) -> Self:
        """Nothing is sent of it, so that only readers are at work."""
        emails = [f"reader{number}@example.org" for number in range(self._recipients)]
        self.mailing_id = make_mailing(self._database, emails)
        with self._database.write() as session:
            control.pause(session, self.mailing_id)
            session.execute(update(Publication).values(tracking=Tracking.INDIVIDUAL))
            deliveries = list(session.scalars(select(Delivery.id)))
            links = list(session.scalars(select(Link.number).where(Link.mailing_id == self.mailing_id)))
        planned = visits(deliveries, links, self._random)
        self.readers = Readers(self.port, self.mailing_id, planned, Tokens.of(self.settings.secret()))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._redis.close()
        self._database.close()

    def wait_for_more(self, answers: int) -> None:
        """Until so many more readers were answered."""
        enough = len(self.readers.diary.answered) + answers
        wait_until(
            lambda: len(self.readers.diary.answered) >= enough, f"{answers} more readers to be answered", SECONDS
        )

    def drain(self) -> None:
        """Until nothing waits for SQL any more."""
        wait_until(lambda: self._waiting() == 0, "the buffer to be drained", SECONDS)

    def prove(self) -> Counter[int]:
        """What was answered is in SQL, once, or counted as lost; nobody who left is still on the list. The losses."""
        diary = self.readers.diary
        kept = self._kept()
        assert diary.wrong == []
        assert {visit: times for visit, times in kept.items() if times > 1} == {}, "kept twice"
        assert kept.keys() - diary.answered - diary.cut_off - diary.refused == set(), "kept, but nobody came"
        missing = diary.answered - kept.keys()
        wait_until(lambda: len(missing) <= self._lost().total(), "the losses to be told", TELLING_SECONDS)
        lost = self._lost()
        print(_summary(diary, kept, len(missing), lost.total()))
        assert {visit for visit in missing if visit.kind is EventKind.UNSUBSCRIBE} == set(), "left in vain"
        assert lost.keys() <= {self.mailing_id}
        assert self._still_on_the_list(diary) == set()
        return lost

    def _waiting(self) -> int | None:
        """How many entries wait for SQL; None while the buffer is away."""
        try:
            return sum(int(self._redis.xlen(name)) for name in (buffer.STREAM, departures.STREAM))
        except RedisError:
            return None

    def _lost(self) -> Counter[int]:
        return EventBuffer(self._redis).lost()

    def _kept(self) -> Counter[Visit]:
        with self._database.read() as session:
            events = session.scalars(select(Event).where(Event.mailing_id == self.mailing_id))
            return Counter(Visit(one.kind, one.delivery_id or 0, one.link_number) for one in events)

    def _still_on_the_list(self, diary: Diary) -> set[int]:
        left = {visit.delivery_id for visit in diary.answered if visit.kind is EventKind.UNSUBSCRIBE}
        with self._database.read() as session:
            mailed = session.scalars(
                select(Delivery.id)
                .join(Mailing, Mailing.id == Delivery.mailing_id)
                .join(
                    Subscription,
                    (Subscription.subscriber_id == Delivery.subscriber_id)
                    & (Subscription.list_id == Mailing.list_id),
                )
                .where(Subscription.status != SubscriptionStatus.UNSUBSCRIBED)
            )
            return left & set(mailed)


class Servers:
    """Web, in so many processes, and worker: each with all it started killed at one moment, and started again."""

    def __init__(self, storm: Storm, folder: Path, environment: Mapping[str, str], processes: int) -> None:
        argv = (sys.executable, "-m", "newsletter", "track", "--processes", str(processes))
        here = {**environment, f"{PREFIX}WEB_PORT": str(storm.port)}
        self.web = Process(Command("track", argv, here, folder / "track.log"))
        self.worker = Worker(folder, environment).process

    def __enter__(self) -> Self:
        self.web.start()
        self.worker.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.web.stop(STOP_SECONDS)
        # Which is faster than to let it drain.
        kill(self.worker)


def kill(process: Process) -> None:
    """End it and all that it started with no chance to write anything down."""
    assert process.pid is not None
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.stop(STOP_SECONDS)


def healthy(port: int) -> bool:
    """Whether a web application answers on a port."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _summary(diary: Diary, kept: Counter[Visit], missing: int, lost: int) -> str:
    kinds = Counter(visit.kind.value for visit in diary.answered)
    return (
        f"answered {len(diary.answered)} ({dict(kinds)}), cut off {len(diary.cut_off)}, "
        f"refused {len(diary.refused)}; in SQL {len(kept)}, missing {missing}, counted as lost {lost}"
    )
