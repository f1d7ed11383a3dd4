"""What our own export tells of somebody's past on a list, as it is staged and as it is put back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from newsletter.audience.cells import as_staged, check_letters, time_in
from newsletter.audience.columns import Field
from newsletter.audience.consents import MAX_BY, MAX_VERSION, MAX_WORDING
from newsletter.audience.formulas import unescaped
from newsletter.audience.mapping import ColumnMap
from newsletter.errors import InputError
from newsletter.models import ConsentAction, SubscriptionStatus, Tracking

MAX_SOURCE = 200
MAX_IP = 45
NO_TRAIL = "[]"
# The status, in an export, of whoever is never mailed.
SUPPRESSED = "suppressed"


class Past(NamedTuple):
    """`subscription` is their status on the list, whatever suppresses them; times are UTC, ISO 8601.

    `trail` is JSON: their decisions, the first first.
    """

    subscription: str | None
    consent: str | None
    subscribed_at: str | None
    unsubscribed_at: str | None
    paused_until: str | None
    suppressed_by: str | None
    suppressed_at: str | None
    suppressed_until: str | None
    tracking: str | None
    trail: str | None


# Of whoever stands in the file of another system.
NOTHING = Past(*[None] * len(Past._fields))


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision of a consent trail; `everywhere` where it is about all lists."""

    action: ConsentAction
    everywhere: bool
    wording: str
    version: str
    ip: str | None
    by: str
    at: datetime


class PastReader:
    """Reads the past out of the rows of an export of ours."""

    def __init__(self, columns: ColumnMap) -> None:
        self._places = {column.field: at for at, column in enumerate(columns.columns) if column.field}

    def read(self, raw: Sequence[str]) -> Past:
        """Cells as the file has them: line breaks are kept. Raises InputError for what no export of ours says.

        A time that is not understood costs the row: nobody is mailed who paused, for a date that a spreadsheet broke.
        """
        trail = self._cell(raw, Field.TRAIL) or NO_TRAIL
        read_trail(trail)
        subscription = self._word(raw, Field.SUBSCRIPTION, SubscriptionStatus)
        self._check_status(raw, subscription)
        return Past(
            subscription=subscription,
            consent=self._cell(raw, Field.CONSENT),
            subscribed_at=self._time(raw, Field.SUBSCRIBED_AT),
            unsubscribed_at=self._time(raw, Field.UNSUBSCRIBED_AT),
            paused_until=self._time(raw, Field.PAUSED_UNTIL),
            suppressed_by=self._cell(raw, Field.SUPPRESSED_BY)[:MAX_SOURCE] or None,
            suppressed_at=self._time(raw, Field.SUPPRESSED_AT),
            suppressed_until=self._time(raw, Field.SUPPRESSED_UNTIL),
            tracking=self._word(raw, Field.TRACKING, Tracking) or None,
            trail=None if trail == NO_TRAIL else trail,
        )

    def _cell(self, raw: Sequence[str], field: Field) -> str:
        at = self._places.get(field, len(raw))
        return unescaped(raw[at]) if at < len(raw) else ""

    def _word(self, raw: Sequence[str], field: Field, words: type[StrEnum]) -> str:
        said = self._cell(raw, field).strip().lower()
        if said not in set(words) and (said or field is Field.SUBSCRIPTION):
            raise InputError(f"{field}: “{said[:40]}” is none of {', '.join(words)}")
        return said

    def _check_status(self, raw: Sequence[str], subscription: str) -> None:
        """Whoever changes one of the columns by hand may have meant either."""
        expected = SUPPRESSED if self._cell(raw, Field.SUPPRESSED).strip() else subscription
        said = self._cell(raw, Field.STATUS).strip().lower()
        if Field.STATUS in self._places and said != expected:
            raise InputError(f"status says “{said[:40]}”, the columns beside it “{expected}”: change them together")

    def _time(self, raw: Sequence[str], field: Field) -> str | None:
        said = self._cell(raw, field).strip()
        try:
            return as_staged(time_in(said)) if said else None
        except InputError as error:
            raise InputError(f"{field}: {error}") from None


def write_trail(decisions: Sequence[Decision]) -> str:
    """A trail as JSON, what is blank left out."""
    return NO_TRAIL if not decisions else json.dumps([_facts(decision) for decision in decisions], ensure_ascii=False)


def read_trail(text: str) -> list[Decision]:
    """What `write_trail` wrote. Raises InputError for anything else."""
    if text == NO_TRAIL:
        return []
    try:
        return [_decision(facts) for facts in json.loads(text)]
    except (ValueError, TypeError, AttributeError, KeyError, InputError):
        raise InputError(f"the trail “{text[:40]}” is not one that `newsletter export` wrote") from None


def _facts(decision: Decision) -> dict[str, Any]:
    told = {
        "at": decision.at.isoformat(),
        "action": decision.action.value,
        "by": decision.by,
        "ip": decision.ip,
        "wording": decision.wording,
        "version": decision.version,
        "everywhere": decision.everywhere,
    }
    return {name: fact for name, fact in told.items() if fact}


def _decision(facts: Mapping[str, Any]) -> Decision:
    return Decision(
        action=ConsentAction(facts["action"]),
        everywhere=bool(facts.get("everywhere", False)),
        wording=_text(facts, "wording")[:MAX_WORDING],
        version=_text(facts, "version")[:MAX_VERSION],
        ip=_text(facts, "ip")[:MAX_IP] or None,
        by=_text(facts, "by")[:MAX_BY],
        at=time_in(facts["at"]),
    )


def _text(facts: Mapping[str, Any], name: str) -> str:
    said = facts.get(name, "")
    if not isinstance(said, str) or "\x00" in said:
        raise InputError(f"{name} is no text")
    check_letters(said)
    return said
