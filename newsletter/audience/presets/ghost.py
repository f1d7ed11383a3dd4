"""Ghost: the members' export of a site."""

from __future__ import annotations

from newsletter.audience.columns import Field
from newsletter.audience.presets.preset import Preset, ignored
from newsletter.audience.statuses import Status

PRESET = Preset(
    name="ghost",
    signature=frozenset({"subscribed-to-emails", "complimentary-plan"}),
    columns={"created-at": Field.OPTED_IN_AT, **ignored("id stripe-customer-id deleted-at gift-id")},
    statuses={
        "subscribed-to-emails": {"true": Status.SUBSCRIBED, "false": Status.UNSUBSCRIBED, "": Status.UNSUBSCRIBED}
    },
)
