"""Where the text of a report ends, and the fields and the message begin that some servers put into the same text."""

from __future__ import annotations

import re

_MAX_LINE = 1000
# What a server puts before the message it sends back, where it does so in one text.
_RETURNED = re.compile(
    r"^\W*(?:"
    r"-+ ?(?:this is a copy of|below this line|original (?:message|header)|returned m(?:essage|ail)|unsent message"
    r"|message (?:header|text|content)|the header of the original|undelivered message|unsent copy|start of returned)"
    r"|original (?:message|mail|headers?)\b.{0,30}(?:follows?|below|as received|headers?)\b"
    r"|(?:the )?original message (?:headers|text|is|was:)|your (?:original )?message reads"
    r"|(?:included|attached|below|following) (?:below )?is (?:a|the) copy of|(?:message|your message) follows"
    r"|(?:copy of|text of|beginning of) (?:the |your )?(?:original|message|returned)|reporting-mta:"
    r"|(?:message )?headers? (?:of the|follow|from the)|received message:|original-nachricht|texte du message"
    r")",
    re.IGNORECASE,
)
_FIELDS_IN_TEXT = re.compile(r"^(?:reporting-mta|final-recipient) ?:", re.IGNORECASE | re.MULTILINE)
_RETURNED_FIELD = re.compile(r"(?:received|return-path|dkim-signature|domainkey-signature|x-originating-ip) ?:", re.I)


def without_fields(text: str) -> tuple[str, str]:
    """A text and the fields for programs that some servers put at its end."""
    found = _FIELDS_IN_TEXT.search(text)
    if not found or not re.search(r"^final-recipient ?:", text[found.start() :], re.IGNORECASE | re.MULTILINE):
        return text, ""
    return text[: found.start()], text[found.start() :]


def cut(text: str) -> tuple[list[str], str]:
    """The lines before the message that was sent back, and that message from its first header on."""
    lines = [line[:_MAX_LINE].rstrip() for line in text.split("\n")]
    for number, line in enumerate(lines):
        if _RETURNED.match(line) or _RETURNED_FIELD.match(line):
            rest = lines[number:]
            while rest and not re.match(r"[>\s]{0,4}[A-Za-z-]{2,40} ?:", rest[0]):
                rest = rest[1:]
            return lines[:number], "\n".join(line.lstrip("> ") if line[:1] == ">" else line for line in rest)
    return lines, ""
