"""phpList: the export of a list, tab-separated. Three columns together say who may be mailed."""

from __future__ import annotations

from newsletter.audience.columns import Field
from newsletter.audience.presets.preset import Preset, ignored
from newsletter.audience.statuses import Status, Words

_CONFIRMED: Words = {"1": Status.SUBSCRIBED, "yes": Status.SUBSCRIBED, "0": Status.PENDING, "no": Status.PENDING}
# Not to be blacklisted is no consent yet: the other column has to say more.
_BLACKLISTED: Words = {
    "1": Status.UNSUBSCRIBED,
    "yes": Status.UNSUBSCRIBED,
    "0": Status.PENDING,
    "no": Status.PENDING,
    "": Status.PENDING,
}

PRESET = Preset(
    name="phplist",
    signature=frozenset({"email", "list-membership"}),
    columns={
        "entered": Field.OPTED_IN_AT,
        "time-created": Field.OPTED_IN_AT,
        **ignored("id last-modified modified time-modified uniqid uuid unique-id-for-user unique-id-for-subscriber"),
        **ignored("bouncecount number-of-bounces-on-this-user number-of-bounces-on-this-subscriber"),
        **ignored("htmlemail send-this-user-html-emails send-this-subscriber-html-emails subscribepage"),
        **ignored("rssfrequency password passwordchanged foreignkey extradata disabled optedin"),
    },
    statuses={
        "confirmed": _CONFIRMED,
        "is-the-email-of-this-user-confirmed": _CONFIRMED,
        "is-the-email-of-this-subscriber-confirmed": _CONFIRMED,
        "blacklisted": _BLACKLISTED,
        "is-this-user-blacklisted": _BLACKLISTED,
        "is-this-subscriber-blacklisted": _BLACKLISTED,
    },
)
