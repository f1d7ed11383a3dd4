"""How the sink behaves: all of it can be written as JSON, and an empty one accepts everything."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, Required, TypedDict, get_args

DropStep = Literal["greeting", "before_mail", "after_rcpt", "in_data", "after_dot", "before_reply"]
RefusalStep = Literal["greeting", "mail", "rcpt", "data"]

_REFUSAL = re.compile(r"[45]\d\d .+")


class Drop(TypedDict, total=False):
    """Hang up at a step: on a `fraction` (0 to 1) of all messages or on the `next` so many; one of both is given.

    Messages are counted, at "greeting" connections. "before_mail" gives no answer to MAIL and "after_rcpt" answers
    the first recipient; "in_data" has some of the body, "after_dot" all of it and keeps nothing. "before_reply" has
    accepted the message and does not say so.
    """

    step: Required[DropStep]
    fraction: float
    next: int


class Refusal(TypedDict):
    """The same reply for everybody at one step; "data" is the command, not the end of the data."""

    step: RefusalStep
    reply: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What is other than accepting everything at once. Raises ValueError where it makes no sense."""

    drop: Drop | None = None
    # Replies to RCPT, by recipient and by the recipient's domain in lower case.
    refuse: dict[str, str] = field(default_factory=dict)
    refuse_domain: dict[str, str] = field(default_factory=dict)
    refuse_all: Refusal | None = None
    # Messages on a connection; the next MAIL is answered with 421.
    close_after: int | None = None
    # Seconds between accepting a message and saying so.
    delay: float = 0.0
    # What EHLO offers (RFC 2920, RFC 3030, RFC 1870).
    pipelining: bool = True
    chunking: bool = True
    size: int | None = None

    def __post_init__(self) -> None:
        if self.drop is not None:
            _check_step("drop", self.drop.get("step"), get_args(DropStep))
            if ("fraction" in self.drop) == ("next" in self.drop):
                raise ValueError("drop: give either a fraction or the next so many")
        if self.refuse_all is not None:
            _check_step("refuse_all", self.refuse_all.get("step"), get_args(RefusalStep))
        everybody = [self.refuse_all["reply"]] if self.refuse_all else []
        for reply in (*self.refuse.values(), *self.refuse_domain.values(), *everybody):
            if not _REFUSAL.fullmatch(reply):
                raise ValueError(f"{reply!r} is no refusal: write one like '550 5.1.1 no such user'")

    def refusal_at(self, step: RefusalStep) -> str | None:
        """The reply that everybody gets at this step."""
        return self.refuse_all["reply"] if self.refuse_all and self.refuse_all["step"] == step else None

    def refusal_of(self, recipient: str) -> str | None:
        """The reply to RCPT, where it is none of 250."""
        domain = recipient.rpartition("@")[2].lower()
        return self.refusal_at("rcpt") or self.refuse.get(recipient) or self.refuse_domain.get(domain)


def _check_step(name: str, step: str | None, steps: tuple[str, ...]) -> None:
    if step not in steps:
        raise ValueError(f"{name}: there is no step {step!r}; the steps are {', '.join(steps)}")
