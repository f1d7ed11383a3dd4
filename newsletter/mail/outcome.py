"""What became of one attempt to hand a message over."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from newsletter.text import one_line

MAX_REPLY = 500


class Verdict(StrEnum):
    """What a server's answer, or its silence, means for the message."""

    SENT = "sent"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    # The connection broke between the end of the data and its reply: the server may have the message or not.
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Envelope:
    """A message and its route; addresses in wire form, `data` with CRLF line ends."""

    mail_from: str
    rcpt_to: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """The verdict and the server's own words."""

    verdict: Verdict
    reply: str

    @classmethod
    def of_reply(cls, code: int, text: bytes) -> Outcome:
        """The outcome of a refusing SMTP reply: 5yz is for good, all else for now (RFC 5321 section 4.2.1)."""
        return cls(Verdict.REJECTED if 500 <= code < 600 else Verdict.DEFERRED, in_words(code, text))


def in_words(code: int, text: bytes) -> str:
    """An SMTP reply on one line."""
    return one_line(f"{code} {text.decode('utf-8', 'replace')}")[:MAX_REPLY]
