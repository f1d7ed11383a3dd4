"""listmonk: the subscribers' export. It tells whether a person may be mailed at all, and keeps attributes as JSON."""

from __future__ import annotations

from newsletter.audience.columns import Field
from newsletter.audience.presets.preset import Preset, ignored
from newsletter.audience.statuses import Status

PRESET = Preset(
    name="listmonk",
    signature=frozenset({"uuid", "attributes", "status"}),
    columns={
        "attributes": Field.ATTRIBUTES,
        "created-at": Field.OPTED_IN_AT,
        **ignored("uuid updated-at"),
    },
    statuses={
        "status": {
            "enabled": Status.SUBSCRIBED,
            "disabled": Status.UNSUBSCRIBED,
            "blocklisted": Status.UNSUBSCRIBED,
            "blacklisted": Status.UNSUBSCRIBED,
        }
    },
)
