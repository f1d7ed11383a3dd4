"""A message that came back, taken apart: what it says, the fields it reports, and the message it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from newsletter.feedback.mime import Headers, Part, first, parse_fields, parts, split_headers
from newsletter.feedback.quoted import cut, without_fields

ADDRESS = (
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,10}(?:xn--[a-z0-9-]{2,59}|[A-Za-z]{2,24})"
)
FIND_ADDRESS = re.compile(ADDRESS)
# Also at hosts that have no domain, for fields in which nothing else can stand.
_FIND_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")

_MAX_LINES = 2000
_MESSAGES = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/partial",
    "text/rfc822",
    "message/global",
    "message/rfc822-headers",
    "message/global-headers",
)


@dataclass(frozen=True, slots=True)
class Report:
    """`notes` are the lines written for people, `statuses` and `feedback` the fields for programs, still in one text;
    `original` holds the headers of the message that came back, as far as it did, and `attached` its text. `text`
    is what is written for people, uncut."""

    headers: Headers
    notes: list[str]
    statuses: str
    feedback: str | None
    original: Headers
    returned: bool
    attached: str
    text: str

    def header(self, name: str) -> str:
        return first(self.headers, name)

    @property
    def when(self) -> datetime | None:
        """When the report was written, in UTC."""
        return parse_date(self.header("date"))

    @property
    def message_id(self) -> str:
        return first(self.headers, "message-id").strip("<> ")

    @property
    def original_id(self) -> str:
        """The local part of the Message-ID of the message it is about."""
        return first(self.original, "message-id").strip("<> ").partition("@")[0][:200]


def open_report(data: bytes) -> Report:
    """Take a message apart. Anything goes: what is not there is empty."""
    headers, found = parts(data)
    notes: list[str] = []
    statuses: list[str] = []
    feedback: str | None = None
    original: Headers = {}
    returned = False
    attached = whole = ""
    plain = any(part.type == "text/plain" and part.text.strip() for part in found)
    for part in found:
        if part.type in _MESSAGES or _is_message(part):
            original = original or _headers_of(part)
            attached = attached or part.text
            returned = True
        elif part.type in ("message/delivery-status", "message/global-delivery-status"):
            statuses.append(part.text)
        elif part.type == "message/feedback-report":
            feedback = f"{feedback or ''}\n\n{part.text}"
        elif not returned and (part.type == "text/plain" or (part.type == "text/html" and not plain)):
            whole = whole or part.text
            text, fields = without_fields(part.text)
            statuses += [fields] if fields else []
            lines, rest = cut(text)
            notes += lines
            original = original or parse_fields(rest)
            returned = returned or bool(rest)
    return Report(headers, notes[:_MAX_LINES], "\n\n".join(statuses), feedback, original, returned, attached, whole)


def parse_date(text: str) -> datetime | None:
    """A date as mail writes it (RFC 5322 section 3.3), in UTC; None where it is none."""
    try:
        when = parsedate_to_datetime(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def addresses(text: str, *, local: bool = False) -> list[str]:
    """The addresses in a text, each once, in order; with `local` also those whose host has no domain."""
    pattern = _FIND_LOCAL if local else FIND_ADDRESS
    return list(dict.fromkeys(found.strip("'=.") for found in pattern.findall(text)))


def received_for(headers: Headers) -> list[str]:
    """Whom the last server was to hand a message to, as its Received field says."""
    found = re.search(r"\bfor <?([^\s<>;]+@[^\s<>;]+)", " ".join(headers.get("received", [])))
    return addresses(found[1]) if found else []


def _is_message(part: Part) -> bool:
    return "received" in part.headers or {"from", "subject", "date"} <= part.headers.keys()


def _headers_of(part: Part) -> Headers:
    return part.headers if _is_message(part) else split_headers(part.text.lstrip("\n"))[0]
