"""What is to be done about a signal, once it is known whose it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum

from newsletter.feedback.signal import Kind, Reason, Severity, Signal

# Whose fault these are is not the subscriber's: a blocked sender must not lose all it has at a provider.
BLAMELESS = frozenset(
    {Reason.POLICY, Reason.CONTENT, Reason.TOO_LARGE, Reason.GREYLISTED, Reason.RATE, Reason.AUTHENTICATION}
)
# A mailbox that was full for weeks may be emptied yet.
FULL_FOR = timedelta(days=90)


class Action(StrEnum):
    """What follows from a signal."""

    # The address is never mailed again.
    SUPPRESS = "suppress"
    # Neither, nor on this list.
    COMPLAIN = "complain"
    UNSUBSCRIBE = "unsubscribe"
    # One more that counts, if others stand beside it.
    COUNT = "count"
    NOTHING = "nothing"


def decide(signal: Signal, *, proven: bool) -> Action:
    """What follows from a signal about somebody who was sent the message.

    It is `proven` where it carries our own token or the service that delivered the message signed it: what anybody
    could have written to a mailbox counts no more than a soft bounce.
    """
    match signal.kind:
        case Kind.COMPLAINT if signal.reason is Reason.AUTHENTICATION:
            return Action.NOTHING
        case Kind.COMPLAINT if proven:
            return Action.UNSUBSCRIBE if signal.reason is Reason.OPT_OUT else Action.COMPLAIN
        case Kind.UNSUBSCRIBE if proven:
            return Action.UNSUBSCRIBE
        case Kind.BOUNCE if signal.delayed:
            return Action.NOTHING
        case Kind.BOUNCE if proven and signal.severity is Severity.HARD:
            return Action.SUPPRESS
        case Kind.BOUNCE if signal.reason not in BLAMELESS:
            return Action.COUNT
    return Action.NOTHING


def in_a_row(deliveries: Iterable[set[Reason]]) -> int:
    """How many of a subscriber's deliveries failed one after the other, by the reasons of each, the latest first.

    One that nothing came back about ends the row; one that failed by our fault neither ends nor lengthens it.
    """
    count = 0
    for reasons in deliveries:
        if not reasons:
            break
        count += bool(reasons - BLAMELESS)
    return count
