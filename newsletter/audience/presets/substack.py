"""Substack: `email_list.<name>.csv` of a publication's export. Whoever left has `email_disabled`."""

from __future__ import annotations

from newsletter.audience.columns import Field
from newsletter.audience.presets.preset import Preset
from newsletter.audience.statuses import Status

PRESET = Preset(
    name="substack",
    signature=frozenset({"active-subscription", "email-disabled"}),
    columns={"created-at": Field.OPTED_IN_AT, "active-subscription": "paying"},
    statuses={"email-disabled": {"true": Status.UNSUBSCRIBED, "false": Status.SUBSCRIBED, "": Status.SUBSCRIBED}},
)
