"""Webhooks as their services would send them."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.feedback.providers.webhook import Request

NOW = datetime(2026, 3, 13, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=2)
READER = "ada@reader.example"


def body(data: Any) -> bytes:
    return json.dumps(data).encode()


def request(data: Any, **headers: str) -> Request:
    """`data` as JSON, or bytes as they are; a header's name in Python's spelling."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(given, data if isinstance(data, bytes) else body(data), NOW)


def basic(password: str) -> str:
    return f"Basic {b64encode(password.encode()).decode()}"
