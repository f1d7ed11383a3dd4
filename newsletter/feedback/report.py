"""A message that came back, taken apart: what it says, the fields it reports, and the message it is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from newsletter.feedback.mime import Headers, Part, first, parse_fields, parts, split_headers

ADDRESS = (
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,10}(?:xn--[a-z0-9-]{2,59}|[A-Za-z]{2,24})"
)
FIND_ADDRESS = re.compile(ADDRESS)
# Also at hosts that have no domain, for fields in which nothing else can stand.
_FIND_LOCAL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")

_MAX_LINES = 2000
_MAX_LINE = 1000
# What a server puts before the message it sends back, where it does so in one text.
_RETURNED = re.compile(
    r"^\W*(?:"
    r"-+ ?(?:this is a copy of|below this line|original (?:message|header)|returned m(?:essage|ail)|unsent message"
    r"|message (?:header|text|content)|the header of the original|undelivered message|unsent copy|start of returned)"
    r"|original (?:message|mail|headers?)\b.{0,30}(?:follows?|below|as received|headers?)\b"
    r"|(?:the )?original message (?:headers|text|is|was:)|your (?:original )?message reads"
    r"|(?:included|attached|below|following) (?:below )?is (?:a|the) copy of|(?:message|your message) follows"
    r"|(?:copy of|text of|beginning of) (?:the |your )?(?:original|message|returned)|reporting-mta:"
    r"|(?:message )?headers? (?:of the|follow|from the)|received message:|original-nachricht|texte du message"
    r")",
    re.IGNORECASE,
)
_FIELDS_IN_TEXT = re.compile(r"^(?:reporting-mta|final-recipient) ?:", re.IGNORECASE | re.MULTILINE)
_RETURNED_FIELD = re.compile(r"(?:received|return-path|dkim-signature|domainkey-signature|x-originating-ip) ?:", re.I)
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
            text, fields = _without_fields(part.text)
            statuses += [fields] if fields else []
            lines, rest = _cut(text)
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


def _without_fields(text: str) -> tuple[str, str]:
    """A text and the fields for programs that some servers put at its end."""
    found = _FIELDS_IN_TEXT.search(text)
    if not found or not re.search(r"^final-recipient ?:", text[found.start() :], re.IGNORECASE | re.MULTILINE):
        return text, ""
    return text[: found.start()], text[found.start() :]


def _cut(text: str) -> tuple[list[str], str]:
    """The lines before the message that was sent back, and that message from its first header on."""
    lines = [line[:_MAX_LINE].rstrip() for line in text.split("\n")]
    for number, line in enumerate(lines):
        if _RETURNED.match(line) or _RETURNED_FIELD.match(line):
            rest = lines[number:]
            while rest and not re.match(r"[>\s]{0,4}[A-Za-z-]{2,40} ?:", rest[0]):
                rest = rest[1:]
            return lines[:number], "\n".join(line.lstrip("> ") if line[:1] == ">" else line for line in rest)
    return lines, ""
