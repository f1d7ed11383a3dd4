"""beehiiv: the full export of a publication's subscribers."""

from __future__ import annotations

from newsletter.audience.columns import Field
from newsletter.audience.presets.preset import Preset, ignored
from newsletter.audience.statuses import Status

PRESET = Preset(
    name="beehiiv",
    signature=frozenset({"status", "subscription-tier", "utm-source"}),
    columns={
        "created-at": Field.OPTED_IN_AT,
        "created": Field.OPTED_IN_AT,
        **ignored("id subscriber-id subscription-id publication-id unsubscribed-at"),
    },
    statuses={
        "status": {
            "active": Status.SUBSCRIBED,
            "pending": Status.PENDING,
            "validating": Status.PENDING,
            "needs_attention": Status.PENDING,
            "inactive": Status.UNSUBSCRIBED,
            "unsubscribed": Status.UNSUBSCRIBED,
            "invalid": Status.CLEANED,
        }
    },
)
