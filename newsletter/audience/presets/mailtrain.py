"""Mailtrain: the export of a list's subscriptions. Its own columns are called MERGE_FIRST_NAME and so on."""

from __future__ import annotations

from newsletter.audience.columns import Field
from newsletter.audience.presets.preset import Preset, ignored
from newsletter.audience.statuses import Status

PRESET = Preset(
    name="mailtrain",
    signature=frozenset({"cid", "status", "hash-email"}),
    columns={
        "merge-first-name": Field.FIRST_NAME,
        "merge-last-name": Field.LAST_NAME,
        **ignored("cid hash-email"),
    },
    statuses={
        "status": {
            "subscribed": Status.SUBSCRIBED,
            "unsubscribed": Status.UNSUBSCRIBED,
            "bounced": Status.CLEANED,
            "complained": Status.COMPLAINED,
        }
    },
)
