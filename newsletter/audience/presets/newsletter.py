"""Our own: what `newsletter export` writes. Whoever left here is not suppressed for having left one list."""

from __future__ import annotations

from newsletter.audience.columns import Field
from newsletter.audience.presets.preset import Preset, ignored
from newsletter.audience.statuses import Status

PRESET = Preset(
    name="newsletter",
    signature=frozenset({"consent", "suppressed", "subscribed-at", "unsubscribed-at", "paused-until"}),
    columns={
        "attributes": Field.ATTRIBUTES,
        **ignored("suppressed consent subscribed-at unsubscribed-at paused-until"),
    },
    statuses={
        "status": {
            "active": Status.SUBSCRIBED,
            "pending": Status.PENDING,
            "unsubscribed": Status.UNSUBSCRIBED,
            "suppressed": Status.CLEANED,
        }
    },
    escaped=True,
)
