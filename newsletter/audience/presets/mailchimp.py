"""Mailchimp: an audience's export, a ZIP of three files whose names tell the statuses apart."""

from __future__ import annotations

from newsletter.audience.columns import Field
from newsletter.audience.presets.preset import Preset, ignored
from newsletter.audience.statuses import COMMON, Status

PRESET = Preset(
    name="mailchimp",
    signature=frozenset({"member-rating", "leid", "euid"}),
    columns={
        "email-address": Field.EMAIL,
        "optin-time": Field.OPTED_IN_AT,
        "optin-ip": Field.OPTED_IN_IP,
        "confirm-time": Field.CONFIRMED_AT,
        "confirm-ip": Field.CONFIRMED_IP,
        "cc": "country",
        **ignored("member-rating latitude longitude gmtoff dstoff last-changed leid euid"),
        **ignored("unsub-time unsub-campaign-title unsub-campaign-id unsub-reason unsub-reason-other"),
        **ignored("clean-time clean-campaign-title clean-campaign-id"),
    },
    statuses={"status": COMMON},
    files={
        "subscribed": Status.SUBSCRIBED,
        "unsubscribed": Status.UNSUBSCRIBED,
        "cleaned": Status.CLEANED,
        "nonsubscribed": Status.UNSUBSCRIBED,
    },
)
