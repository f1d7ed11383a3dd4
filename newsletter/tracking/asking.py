"""The server of the event buffer, asked by those who may wait for it."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from newsletter.errors import UnavailableError


def ask(server: Redis, command: str, *arguments: Any, **named: Any) -> Any:
    """What it answers to a command of its client's, or of a pipeline. Raises UnavailableError where it is away."""
    try:
        return getattr(server, command)(*arguments, **named)
    except RedisError as error:
        raise UnavailableError(f"the event buffer does not answer: {error}") from error
