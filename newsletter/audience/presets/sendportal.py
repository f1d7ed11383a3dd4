"""SendPortal: the subscribers' export of a workspace. Only its database tells who has left."""

from __future__ import annotations

from newsletter.audience.columns import Field
from newsletter.audience.presets.preset import Preset, ignored
from newsletter.audience.statuses import ANYTHING_ELSE, Status

PRESET = Preset(
    name="sendportal",
    signature=frozenset({"hash", "email", "first-name", "last-name", "created-at"}),
    columns={"created-at": Field.OPTED_IN_AT, **ignored("id hash")},
    # Blank where someone has not left; else the time they did.
    statuses={"unsubscribed-at": {"": Status.SUBSCRIBED, ANYTHING_ELSE: Status.UNSUBSCRIBED}},
)
