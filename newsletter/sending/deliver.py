"""take -> claim -> merge -> build -> send -> settle: a worker's turn.

A turn lasts seconds. Batch after batch goes over the same connections, which so are never idle, and then the worker
is free for other tasks. No transaction spans the network.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from newsletter.errors import ConfigError, UnavailableError
from newsletter.mail.courier import Courier
from newsletter.sending.books import OpenBatch
from newsletter.sending.carrier import Carrier, Desk
from newsletter.sending.draw import Hand
from newsletter.smtp_accounts import Account

TURN_SECONDS = 3.0
# Between two tries to reach a database that is away.
PAUSE_SECONDS = 1.0


class Transport(Protocol):
    """What hands messages over."""

    def run(self, courier: Courier) -> None: ...


def deliver(desk: Desk, transport: Callable[[Account], Transport], seconds: float = TURN_SECONDS) -> bool:
    """Send whatever is due for some seconds; whether there may be more. Harmless at any time, in any number.

    Raises UnavailableError when the database does not answer; what has become of messages is kept until it does.
    """
    desk.books.open()
    ends_at = time.monotonic() + seconds
    hand: Hand | None = None
    try:
        while not desk.is_stopping() and (hand or time.monotonic() < ends_at):
            hand = hand or desk.draw()
            if hand is None:
                return False
            hand = _play(desk, transport, hand, ends_at)
    except BaseException:
        desk.books.doubt()
        raise
    if hand:
        desk.books.finish(OpenBatch(hand.work.taken, 0))
        desk.books.post()
    return True


def settle_up(desk: Desk) -> None:
    """Return once the ledger knows what became of everything, or the worker is asked to end: its journal tells then.

    Nobody else can write that down, and while there is little to do this process may not be given a task for long.
    """
    while not desk.is_stopping():
        try:
            desk.books.open()
        except UnavailableError:
            time.sleep(PAUSE_SECONDS)
        else:
            return


def _play(desk: Desk, transport: Callable[[Account], Transport], hand: Hand, ends_at: float) -> Hand | None:
    """Send a hand and those drawn after it; the one that goes over another account, if it came to that."""
    account = hand.work.account
    if account is None or not hand.claims:
        return None
    carrier = Carrier(desk, account, hand, ends_at)
    try:
        transport(account).run(carrier)
    except (UnavailableError, ConfigError) as error:
        carrier.give_up(error)
    desk.books.post()
    if carrier.trouble:
        raise carrier.trouble
    return carrier.next_hand
