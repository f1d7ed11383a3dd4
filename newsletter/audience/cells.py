"""Times and IP addresses, as a cell names them."""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import ip_address

from newsletter.errors import InputError


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
