"""Delivery status notifications: the fields of message/delivery-status (RFC 3464 section 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.feedback.mime import Headers, first, parse_fields
from newsletter.feedback.report import addresses

_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_NEXT_RECIPIENT = re.compile(r"\n(?=(?:original|final|x-actual)-recipient ?:)", re.IGNORECASE)
_RECIPIENT_FIELDS = ("final-recipient", "original-recipient", "x-actual-recipient")
# A delivery's happy ends (RFC 3464 section 2.3.3).
_ARRIVED = ("delivered", "relayed", "expanded")
_DID_NOT = ("failed", "delayed")
MAX_RECIPIENTS = 1000


@dataclass(frozen=True, slots=True)
class Status:
    """What became of one recipient; `address` is empty where the report names nobody that mail could be sent to."""

    address: str
    action: str
    status: str
    words: str
    when: str

    @property
    def arrived(self) -> bool:
        return self.action in _ARRIVED or (self.action not in _DID_NOT and self.status.startswith("2."))

    @property
    def delayed(self) -> bool:
        return self.action == "delayed"


def read_statuses(text: str) -> list[Status]:
    """The recipients of a report, in order, each once."""
    groups = [parse_fields(group) for group in re.split(r"\n[ \t]*\n", text)]
    if not any(_names_somebody(group) for group in groups):
        return []
    # A report without its blank lines is one group that names several recipients.
    if any(len(group.get("final-recipient", [])) > 1 for group in groups):
        groups = [parse_fields(group) for group in _NEXT_RECIPIENT.split(text)]
        groups = _joined(groups)
    found: dict[str, Status] = {}
    for group in groups:
        if _names_somebody(group):
            status = _read(group)
            found.setdefault(status.address.lower() or str(len(found)), status)
        if len(found) == MAX_RECIPIENTS:
            break
    return list(found.values())


def _names_somebody(group: Headers) -> bool:
    return any(name in group for name in (*_RECIPIENT_FIELDS, "action", "status"))


def _joined(groups: list[Headers]) -> list[Headers]:
    """Groups that hold a recipient and nothing else belong to the group after them."""
    joined: list[Headers] = []
    waiting: Headers = {}
    for group in groups:
        waiting = {**waiting, **group}
        if "action" in group or "status" in group:
            joined.append(waiting)
            waiting = {}
    return joined


def _read(group: Headers) -> Status:
    given = first(group, "status")
    status = _STATUS.search(given)
    comment = re.search(r"\((.{4,})\)", given)
    diagnosis = re.sub(r"^[\w-]{1,20} ?; ?", "", " ".join(group.get("diagnostic-code", [])))
    words = diagnosis or (comment[1] if comment else "")
    action = re.match(r"[a-z]*", first(group, "action").lower())
    return Status(_address(group), action[0] if action else "", status[0] if status else "", words, _when(group))


def _address(group: Headers) -> str:
    named = [value.partition(";")[2] or value for name in _RECIPIENT_FIELDS if (value := first(group, name))]
    whole = [one for value in named for one in addresses(value)]
    return next(iter(whole or addresses(" ".join(named), local=True)), "")


def _when(group: Headers) -> str:
    return first(group, "last-attempt-date") or first(group, "arrival-date")
