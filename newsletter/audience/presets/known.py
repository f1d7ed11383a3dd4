"""The presets there are, and which of them a header is of."""

from __future__ import annotations

from collections.abc import Collection

from newsletter.audience.presets import (
    beehiiv,
    ghost,
    keila,
    listmonk,
    mailchimp,
    mailtrain,
    newsletter,
    phplist,
    sendportal,
    substack,
)
from newsletter.audience.presets.preset import Preset
from newsletter.errors import InputError

_ALL: tuple[Preset, ...] = (
    newsletter.PRESET,
    mailchimp.PRESET,
    substack.PRESET,
    beehiiv.PRESET,
    ghost.PRESET,
    listmonk.PRESET,
    phplist.PRESET,
    keila.PRESET,
    mailtrain.PRESET,
    sendportal.PRESET,
)
PRESETS = {preset.name: preset for preset in _ALL}


def preset_named(name: str) -> Preset:
    """Raises InputError that says which there are."""
    found = PRESETS.get(name.lower())
    if found is None:
        raise InputError(f"there is no preset “{name[:40]}”: there are {', '.join(sorted(PRESETS))}")
    return found


def recognise(keys: Collection[str]) -> Preset | None:
    """The preset whose signature the header (as `columns.header_key` leaves it) bears."""
    return next((preset for preset in PRESETS.values() if preset.signature <= set(keys)), None)
