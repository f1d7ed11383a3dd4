"""The queue between SQL and the workers. A hint, never the truth: what it loses, a sweep finds again."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from newsletter.config import Settings
from newsletter.errors import UnavailableError

QUEUE = "newsletter"
# Turns take seconds; in a queue of their own they never stand before a plan or a sweep.
TURNS = "newsletter.turns"
PLAN = "newsletter.plan"
DELIVER = "newsletter.deliver"
SWEEP = "newsletter.sweep"
FLUSH_EVENTS = "newsletter.flush-events"
SEND_NOTICES = "newsletter.send-notices"
FORGET_UNCONFIRMED = "newsletter.forget-unconfirmed"
FETCH_BOUNCES = "newsletter.fetch-bounces"

SOCKET_TIMEOUT_SECONDS = 5
# Unacknowledged tasks come back after this long. They are harmless then, since claims hold.
VISIBILITY_TIMEOUT_SECONDS = 3600


def make_celery(settings: Settings) -> Celery:
    """The Celery application, for workers and for those who enqueue."""
    app = Celery("newsletter", broker=settings.broker, set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_queues={name: {"exchange": name} for name in (QUEUE, TURNS)},
        task_routes={DELIVER: {"queue": TURNS}},
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
            "socket_connect_timeout": SOCKET_TIMEOUT_SECONDS,
        },
        worker_cancel_long_running_tasks_on_connection_loss=False,
        timezone="UTC",
    )
    return app


def make_redis(settings: Settings, timeout_seconds: float = SOCKET_TIMEOUT_SECONDS) -> Redis:
    """A client of the broker's server, for the event buffer and for asking how it is."""
    url = settings.broker
    # One more try is for a kept connection that was closed meanwhile; a server that is away is told at once.
    retry = Retry(NoBackoff(), retries=1)
    if url.startswith("redis+socket://"):
        parts = urlsplit(url)
        database = parse_qs(parts.query).get("virtual_host", ["0"])[0]
        return Redis(unix_socket_path=parts.path, db=int(database), socket_timeout=timeout_seconds, retry=retry)
    return Redis.from_url(url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds, retry=retry)


class Queue:
    """Where tasks are left for the workers."""

    def __init__(self, settings: Settings) -> None:
        self._celery = make_celery(settings)
        self._redis = make_redis(settings)
        self._place = settings.broker.rpartition("@")[2]

    def put(self, task: str, *arguments: int) -> None:
        """Enqueue a task by name. Raises UnavailableError when the broker does not answer."""
        try:
            # Celery's own client would try for seconds.
            self._redis.ping()
            self._celery.send_task(task, args=arguments, retry=False)
        except (OperationalError, RedisError, OSError) as error:
            raise self._unavailable(error) from error

    def waiting(self) -> int:
        """How many turns no worker has taken yet. Raises UnavailableError like `put`."""
        try:
            return int(self._redis.llen(TURNS))
        except RedisError as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        """Give the connections back."""
        self._celery.close()
        self._redis.close()

    def _unavailable(self, error: Exception) -> UnavailableError:
        return UnavailableError(
            f"the broker {self._place} does not answer ({error}): start it, or run `newsletter up`"
        )
