"""Keila: the contacts' export of a project, with custom data as JSON."""

from __future__ import annotations

from newsletter.audience.columns import Field
from newsletter.audience.presets.preset import Preset, ignored
from newsletter.audience.statuses import Status

PRESET = Preset(
    name="keila",
    signature=frozenset({"email", "first-name", "data", "status"}),
    columns={
        "data": Field.ATTRIBUTES,
        "inserted-at": Field.OPTED_IN_AT,
        "double-opt-in-at": Field.CONFIRMED_AT,
        **ignored("id external-id updated-at"),
    },
    statuses={
        "status": {
            "active": Status.SUBSCRIBED,
            "unsubscribed": Status.UNSUBSCRIBED,
            "unreachable": Status.CLEANED,
        }
    },
)
