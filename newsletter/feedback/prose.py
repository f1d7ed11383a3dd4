"""What a text that a server wrote for people says of a recipient."""

from __future__ import annotations

import re
from collections.abc import Collection

from newsletter.feedback.reasons import has_code, of_a_directory
from newsletter.text import one_line

MAX_WORDS = 500
_REPLY = re.compile(r"(?:^|[\s<:(])[45]\d\d(?:[ -]|$)")
_MAX_BLOCK = 15
_MAX_REPLIES = 3
_MAX_LINES = 60
_DATA_PHASE = re.compile(
    r"in reply to end of data|after (?:the )?end of data|\[?message_data\]?|smtp command\W{0,20}data\b", re.IGNORECASE
)
# Of servers that say what they were refused; 14 is Google's number for it.
_TO_RCPT = re.compile(
    r"(?:after|reply to|command|>>>|<<<|\[)\W{0,3}rcpt[ _]to|does not like recipient|\(state 14\)"
    r"|rejected (?:the )?(?:address|recipient)|recipient (?:address )?(?:was )?rejected"
    r"|no valid recipients|need rcpt",
    re.IGNORECASE,
)
_SENT_DATA = re.compile(r">>> (?:DATA|\.)\s*\n\s*<<< 5\d\d")
# Where commands are sent ahead, the recipient's refusal is read after DATA, and DATA has one of its own.
_NOBODY_LEFT = re.compile(r"<<< 5\d\d .{0,40}(?:need rcpt|no (?:valid )?recipients|valid rcpt)", re.IGNORECASE)


def said_of(address: str, notes: list[str], starts: Collection[int] = (), start: int = -1) -> list[str]:
    """What notes say of an address, likeliest first: replies that name it, the lines after it, any reply, everything.

    `starts` are the lines where other recipients begin, and `start` is this one's.
    """
    name = address.lower()
    naming = [number for number, line in enumerate(notes) if name in line.lower()]
    if start < 0 and naming:
        start = naming[0]
    said = [_block(notes, number, starts) for number in naming if _REPLY.search(notes[number])]
    if start >= 0:
        said += [_block(notes, start, starts), _block(notes, start + 1, starts, skip_blank=True)]
    replies = [number for number, line in enumerate(notes) if _REPLY.search(line)]
    said += [_block(notes, number, ()) for number in replies[:_MAX_REPLIES]]
    said.append(one_line(" ".join(notes[:_MAX_LINES])))
    return list(dict.fromkeys(text[:MAX_WORDS] for text in said if text.strip(f"{address}<>:,.- ")))


def came_after_data(notes: list[str]) -> bool:
    """Whether the refusal answers the message itself, not its recipient."""
    text = "\n".join(notes)
    return bool(_DATA_PHASE.search(text)) or bool(_SENT_DATA.search(text) and not _NOBODY_LEFT.search(text))


def is_of_recipient(words: str, status: str, address: str, notes: list[str]) -> bool:
    """Whether a reply answers the recipient, and not what came later: by its status, whom it names, or the notes.

    Without a code it is nobody's reply: the server that reports says so itself.
    """
    if not has_code(words) or of_a_directory(words, status) or address.lower() in words.lower():
        return True
    return any(_TO_RCPT.search(line) for line in (words, *notes))


def _block(notes: list[str], start: int, starts: Collection[int], *, skip_blank: bool = False) -> str:
    """The lines from `start` to the next blank one or the next recipient, on one line."""
    taken: list[str] = []
    for number in range(start, min(start + _MAX_BLOCK, len(notes))):
        line = notes[number].strip()
        if (number > start and number in starts) or (not line and not (skip_blank and not taken)):
            break
        taken.append(line)
    return one_line(" ".join(taken))
