"""How often a visitor may have mail sent: counted in Redis, so for all web processes together."""

from __future__ import annotations

import hmac
from datetime import timedelta

from redis import Redis
from redis.exceptions import RedisError

from newsletter.errors import UnavailableError

A_VISITOR = (10, timedelta(hours=1))
AN_ADDRESS = (3, timedelta(days=1))
_KEY = "newsletter:limit"


class Limits:
    """Counts under keyed hashes: no address and no IP is kept."""

    def __init__(self, redis: Redis, secret: bytes) -> None:
        self._redis = redis
        self._secret = secret

    def allow_visitor(self, neighbourhood: str) -> bool:
        """Whether a visitor may try once more; this counts as a try. Raises UnavailableError without Redis."""
        return self._allow("visitor", neighbourhood, *A_VISITOR)

    def allow_address(self, email: str) -> bool:
        """Whether an address may be written to once more; this counts. Raises UnavailableError without Redis."""
        return self._allow("address", email.casefold(), *AN_ADDRESS)

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()

    def _allow(self, what: str, who: str, most: int, within: timedelta) -> bool:
        digest = hmac.digest(self._secret, f"limit {what} {who}".encode("utf-8", "replace"), "sha256").hex()[:32]
        key = f"{_KEY}:{what}:{digest}"
        try:
            with self._redis.pipeline() as pipeline:
                pipeline.set(key, 0, ex=within, nx=True)
                pipeline.incr(key)
                _, count = pipeline.execute()
        except RedisError as error:
            raise UnavailableError(f"the broker does not answer: {error}") from error
        return int(count) <= most
