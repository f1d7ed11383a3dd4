"""Whom a pruned batch was for: pairs of delivery and subscriber, packed, so that links in old mail still work."""

from __future__ import annotations

import struct
from bisect import bisect_left
from collections.abc import Iterable

_NUMBER_BYTES = 8


def pack(members: Iterable[tuple[int, int]]) -> bytes:
    """Pairs of delivery and subscriber, in the order of the deliveries: sixteen bytes each, big-endian."""
    return b"".join(struct.pack(">QQ", delivery_id, subscriber_id) for delivery_id, subscriber_id in members)


def find(packed: bytes, delivery_id: int) -> int | None:
    """The subscriber a delivery was for; None where it is not among the packed."""
    numbers = struct.unpack(f">{len(packed) // _NUMBER_BYTES}Q", packed)
    deliveries, subscribers = numbers[::2], numbers[1::2]
    place = bisect_left(deliveries, delivery_id)
    return subscribers[place] if place < len(deliveries) and deliveries[place] == delivery_id else None
