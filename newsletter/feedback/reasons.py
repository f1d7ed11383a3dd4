"""Why a message came back, and whether that is the address's last word.

`mail/refusals.py` tells an address from a full mailbox, a policy, a content and a rate by what a server replied. Here
its answer is made finer, and languages and endings are added that no SMTP reply has: a queue that gave up, a host
that could not be found, a text in Japanese.
"""

from __future__ import annotations

import re
import unicodedata

from newsletter.feedback.signal import Reason, Severity
from newsletter.feedback.wordings import FULL, GREYLISTED, IN_WORDS, OF_AN_ADDRESS, ON_THE_WAY, TOO_LARGE
from newsletter.mail.refusals import Refusal, classify

_LATIN_MARKS = range(0x300, 0x370)
# Mail to these comes back whatever is sent, whoever sends it and however often.
_LASTING = (Reason.UNKNOWN_USER, Reason.UNKNOWN_DOMAIN, Reason.MOVED, Reason.NO_MAIL)
# Said of a recipient after the message was seen: a filter speaks, not a directory.
_OF_A_FILTER = (Reason.UNKNOWN_USER, Reason.NO_MAIL)
# What people call themselves says nothing about why.
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"']+@[^\s<>()\[\]:;,\"']+")
# Yahoo's, which looks recipients up once it has the message.
_NO_ACCOUNT = re.compile(r"\buser doesn't have an? \S+ account")
_CODE = re.compile(r"(?<![\d.:=#-])([45]\d\d)(?=[ \-:#]|$)")
_STATUS = re.compile(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?!\.?\d)")


def explain(words: str, status: str = "") -> Reason:
    """Why, by a server's words on one line and its enhanced status, if known; OTHER where they do not say."""
    code = _CODE.search(words)
    plain = plain_words(_ADDRESS.sub(" ", words))
    first = code[1] if code else f"{status[:1]}00" if status else ""
    reply = f"{first} {sharper(status, words)} {plain}"
    # A mailbox stays full until the sender gives up: that is the better answer.
    if not code and not FULL.search(plain) and (found := ON_THE_WAY.find(plain)):
        return found
    match classify(reply):
        case Refusal.ADDRESS:
            return OF_AN_ADDRESS.find(reply) or Reason.UNKNOWN_USER
        case Refusal.FULL:
            return Reason.FULL
        case Refusal.POLICY:
            return Reason.POLICY
        case Refusal.CONTENT:
            return Reason.TOO_LARGE if TOO_LARGE.search(reply) else Reason.CONTENT
        case Refusal.RATE:
            return Reason.GREYLISTED if GREYLISTED.search(plain) else Reason.RATE
    return IN_WORDS.find(plain) or ON_THE_WAY.find(plain) or Reason.OTHER


def has_code(words: str) -> bool:
    """Whether words are a server's reply (RFC 5321 section 4.2), or hold one."""
    return _CODE.search(words) is not None


def of_a_directory(words: str, status: str = "") -> bool:
    """Whether it was looked up that there is nobody, by status or by words: that is believed at any time."""
    return sharper(status, words).startswith("5.1.") or _NO_ACCOUNT.search(plain_words(words)) is not None


def after_the_message(reason: Reason) -> Reason:
    """The reason, where the server gave it only after the whole message (RFC 5321 section 4.1.1.4)."""
    return Reason.POLICY if reason in _OF_A_FILTER else reason


def severity_of(reason: Reason, *, for_now: bool = False) -> Severity:
    """Hard where the address itself is gone; what a server said only `for_now` is never that."""
    return Severity.HARD if reason in _LASTING and not for_now else Severity.SOFT


def is_for_now(words: str, status: str = "") -> bool:
    """Whether a server asked to be tried again (RFC 5321 section 4.2.1), even where the sender gave up at last."""
    code = _CODE.search(words)
    return (code[1] if code else sharper(status, words)).startswith("4")


def sharper(status: str, words: str) -> str:
    """The status that says more: the one in a server's words, where the reported one says only good or bad."""
    said = _STATUS.search(words)
    vague = not status or status.endswith(".0")
    return said[0] if said and vague else status


def plain_words(text: str) -> str:
    """In lower case and without the accents of Latin letters."""
    apart = unicodedata.normalize("NFKD", text.replace("’", "'").casefold())
    return unicodedata.normalize("NFC", "".join(sign for sign in apart if ord(sign) not in _LATIN_MARKS))
