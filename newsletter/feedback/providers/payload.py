"""A webhook's JSON, taken apart without trusting its shape, and signals made of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from newsletter.errors import InputError
from newsletter.feedback.providers.webhook import from_epoch
from newsletter.feedback.reasons import explain, severity_of
from newsletter.feedback.report import parse_date
from newsletter.feedback.signal import Kind, Reason, Severity, Signal
from newsletter.text import one_line

# The name under which the sending side hands a service a delivery's token, to get it back in every event.
TOKEN = "delivery"  # noqa: S105 - a name
_MAX_WORDS = 500
_MILLISECONDS = 1e11


def load(body: bytes) -> Any:
    """The JSON in a body. Raises InputError for anything that is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise InputError("the webhook's body is not JSON") from None


def objects(value: Any) -> list[dict[str, Any]]:
    """The objects in a list, or one object alone."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def part(data: Any, name: str) -> dict[str, Any]:
    """The object of that name, empty where there is none."""
    inner = data.get(name) if isinstance(data, dict) else None
    return inner if isinstance(inner, dict) else {}


def text(data: Any, *path: str) -> str:
    """What lies at the end of a path of names, as text; empty where nothing does. Of a list its first counts."""
    for name in path:
        data = data[0] if isinstance(data, list) and data else data
        data = data.get(name) if isinstance(data, dict) else None
    data = data[0] if isinstance(data, list) and data else data
    if isinstance(data, str):
        return data
    return str(data) if isinstance(data, int | float) else ""


def moment(value: str) -> datetime | None:
    """A time as services write it: ISO 8601, or seconds or milliseconds since 1970, or as mail does. In UTC."""
    if value.replace(".", "", 1).isdecimal():
        return from_epoch(str(float(value) / 1000) if float(value) > _MILLISECONDS else value)
    try:
        when = datetime.fromisoformat(value)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return parse_date(value)


def local_part(message_id: str) -> str:
    """The token in one of our Message-IDs."""
    return message_id.strip("<> ").partition("@")[0]


def bounce(
    address: str,
    words: str,
    *,
    lasting: bool,
    reason: Reason | None = None,
    status: str = "",
    token: str = "",
    when: datetime | None = None,
    event: str = "",
    delayed: bool = False,
) -> Signal:
    """A bounce that the service calls `lasting` or not, or a message `delayed` that it still tries to deliver.

    It is hard where the service says so and the server's words do not blame something else than the address.
    """
    reason = reason or explain(words, status)
    severity = severity_of(reason) if lasting and reason is not Reason.OTHER else Severity.SOFT
    if lasting and reason in (Reason.OTHER, Reason.INACTIVE):
        severity = Severity.HARD
    return Signal(Kind.BOUNCE, severity, reason, address, token, status, _short(words), when, event, delayed)


def complaint(address: str, words: str = "", *, token: str = "", when: datetime | None, event: str) -> Signal:
    """Somebody said that it is spam."""
    return Signal(Kind.COMPLAINT, Severity.HARD, Reason.ABUSE, address, token, "", _short(words), when, event)


def unsubscribe(address: str, words: str = "", *, token: str = "", when: datetime | None, event: str) -> Signal:
    """Somebody asked the service for no more of it."""
    return Signal(Kind.UNSUBSCRIBE, Severity.HARD, Reason.OPT_OUT, address, token, "", _short(words), when, event)


def auto_reply(address: str, words: str = "", *, token: str = "", when: datetime | None, event: str) -> Signal:
    """A machine answered."""
    return Signal(Kind.AUTO_REPLY, Severity.SOFT, Reason.OTHER, address, token, "", _short(words), when, event)


def _short(words: str) -> str:
    return one_line(words)[:_MAX_WORDS]
