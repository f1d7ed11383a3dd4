"""Our own: what `newsletter export` writes, of people and of their past on the list."""

from __future__ import annotations

from newsletter.audience.columns import PAST, Field
from newsletter.audience.presets.preset import Preset
from newsletter.audience.statuses import Status

PRESET = Preset(
    name="newsletter",
    signature=frozenset({"subscription", "suppressed", "consent", "subscribed-at", "unsubscribed-at", "trail"}),
    columns={"attributes": Field.ATTRIBUTES, **{field.replace("_", "-"): field for field in PAST}},
    statuses={
        # Whoever writes a graver word into one of these columns by hand is understood.
        "status": {
            "active": Status.SUBSCRIBED,
            "pending": Status.PENDING,
            "unsubscribed": Status.LEFT,
            "suppressed": Status.BLOCKED,
        },
        "subscription": {"active": Status.SUBSCRIBED, "pending": Status.PENDING, "unsubscribed": Status.LEFT},
        "suppressed": {
            "": Status.PENDING,
            "complained": Status.COMPLAINED,
            "bounced": Status.CLEANED,
            "unsubscribed": Status.UNSUBSCRIBED,
            "blocked": Status.BLOCKED,
        },
    },
    own=True,
)
