"""What cells hold: times, IP addresses, whatever else a person is known by."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

from newsletter.errors import InputError

_NEEDS_QUOTES = re.compile(r'[,;|"]')


def time_in(cell: str) -> datetime:
    """The time in a cell, in UTC, which it is in where it names no zone. Raises InputError for what is none."""
    try:
        moment = datetime.fromisoformat(cell.removesuffix(" UTC"))
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(f"“{cell[:40]}” is no time: write it as 2026-03-13 07:00") from None


def as_staged(moment: datetime) -> str:
    """A time in UTC, as text that both databases take for one."""
    return moment.strftime("%Y-%m-%d %H:%M:%S.%f")


def ip_in(cell: str) -> str:
    """The IP address in a cell, in its usual form. Raises InputError for what is none."""
    try:
        return str(ip_address(cell))
    except ValueError:
        raise InputError(f"“{cell[:45]}” is no IP address") from None


def as_cell(value: Any) -> str:
    """A value as an export writes it: tags parted by commas, what is no text as JSON."""
    match value:
        case None:
            return ""
        case datetime():
            return value.isoformat()
        case list() if all(isinstance(tag, str) for tag in value):
            return ",".join(_quoted(tag) for tag in value)
        case dict() | list():
            return json.dumps(value, ensure_ascii=False) if value else ""
    return str(value)


def check_letters(text: str) -> None:
    """Raises InputError where there is half a pair of UTF-16 in it, as JSON can name one: no database keeps it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError("there is half a letter in it: an escape such as \\ud83d stands alone") from None


def _quoted(tag: str) -> str:
    doubled = tag.replace('"', '""')
    return f'"{doubled}"' if _NEEDS_QUOTES.search(tag) else tag
