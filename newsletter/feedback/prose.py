"""Recipients named in a text that a server wrote for people, and what it says of each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.feedback.mime import first
from newsletter.feedback.report import ADDRESS, FIND_ADDRESS, Report, addresses
from newsletter.text import one_line

_ROLES = re.compile(
    r"^(?:post[-_.]?master|mailer[-_.]?daemon|abuse|support|help(?:desk)?|admin\w*|info|noc|hostmaster)@", re.I
)
# Where the sender is meant, or somebody who could help.
_NOT_OF_RECIPIENTS = re.compile(
    r"^\W*(?:from|sender|reply-to|message[- ]?id|return-path|mail from|envelope-from|original sender|received|sent by|errors-to)\b"
    r"|mail from ?:|message-id|generated from|expanded from|on behalf of|alias for|help@|assistance",
    re.IGNORECASE,
)
_NAMES_HELP = re.compile(
    r"contact|assistance|questions?|problems? with|write to|reply to|e-?mail to|report this|forward", re.I
)

_WRAP = r"[<\"'(\[]{0,2}(?:mailto:|smtp:|rfc822; ?)?"
# A line that starts with an address, after bullets at most.
_LEADS = re.compile(rf"^[\s>*•=-]{{0,20}}(?:\d{{1,3}}[.)] )?{_WRAP}({ADDRESS})(?=$|[^\w@-])", re.IGNORECASE)
_LABELLED = re.compile(
    r"(?:recipients?(?: address)?|errors?|addressed to|delivered to|deliver(?:y|ed)?(?: (?:a |this |your |the )?(?:message|mail))?(?: to)?"
    r"|unknown user|user unknown|user(?:id)?|undeliver\w+(?: mail)? to|mailbox|failed(?: for| to)?|addresse?e?|destinataire|empf(?:ä|ae)nger"
    rf"|destinatari[oa]|получател\w+|宛先|gateway for|smtp|to the following (?:address|recipient)\w*)\W{{1,6}}(?:mailto:)?({ADDRESS})",
    re.IGNORECASE,
)
_ADDRESSED = re.compile(rf"^\W{{0,10}}to ?:\W{{0,4}}({ADDRESS})", re.IGNORECASE)
# A name alone, under a line that announces recipients: the server's own domain is meant.
_LOCAL_NAME = re.compile(r"^\s+([A-Za-z0-9][\w.+-]{0,63})$")
_TRANSCRIPT = re.compile(rf"rcpt to ?: ?<? ?({ADDRESS})", re.IGNORECASE)
_REPLY = re.compile(r"(?:^|[\s<:(])[45]\d\d(?:[ -]|$)")
_MAX_BLOCK = 15
_MAX_WORDS = 500
_DATA_PHASE = re.compile(
    r"in reply to end of data|after (?:the )?end of data|\[?message_data\]?|smtp command\W{0,20}data\b", re.I
)
_SENT_DATA = re.compile(r">>> (?:DATA|\.)\s*\n\s*<<< 5\d\d")
_NOBODY_LEFT = re.compile(r"<<< 5\d\d .{0,40}(?:need rcpt|no (?:valid )?recipients|valid rcpt)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mention:
    """A recipient and what is said of it, likeliest first; nothing is said where `said` is empty."""

    address: str
    said: tuple[str, ...]


def mentions(report: Report) -> list[Mention]:
    """The recipients a text is about, in its order, each once."""
    notes, others = report.notes, _not_recipients(report)
    anchors = _anchors(notes, others)
    if failed := _only(addresses(", ".join(report.headers.get("x-failed-recipients", []))), set()):
        anchors = {address: anchors.get(address, -1) for address in failed}
    if not anchors:
        anchors = (
            _local_names(report) or _in_passing(notes, others) or dict.fromkeys(_returned_to(report, others), -1)
        )
    return [
        Mention(address, said_of(address, notes, list(anchors.values()), anchors[address])) for address in anchors
    ]


def said_of(address: str, notes: list[str], starts: Iterable[int] = (), start: int = -1) -> tuple[str, ...]:
    """What notes say of an address: replies that name it, the lines after it, any reply, everything."""
    name = address.lower()
    naming = [number for number, line in enumerate(notes) if name in line.lower()]
    replies = [_block(notes, number, starts) for number in naming if _REPLY.search(notes[number])]
    if start < 0 and naming:
        start = naming[0]
    after = [_block(notes, start, starts), _block(notes, start + 1, starts, skip_blank=True)] if start >= 0 else []
    anywhere = [_block(notes, number, ()) for number, line in enumerate(notes) if _REPLY.search(line)]
    every = [*replies, *after, *anywhere[:3], one_line(" ".join(notes[:60]))]
    return tuple(dict.fromkeys(text[:_MAX_WORDS] for text in every if text.strip(f"{address}<>:,.- ")))


def came_after_data(notes: list[str]) -> bool:
    """Whether the refusal answers the message itself, not its recipient."""
    text = "\n".join(notes)
    return bool(_DATA_PHASE.search(text)) or bool(_SENT_DATA.search(text) and not _NOBODY_LEFT.search(text))


def _anchors(notes: list[str], others: set[str]) -> dict[str, int]:
    """Recipients by the line that names them, found in the surest way that finds any."""
    for pattern in (_LEADS, _LABELLED, _TRANSCRIPT, _ADDRESSED):
        found: dict[str, int] = {}
        for number, line in enumerate(notes):
            if pattern in (_LEADS, _LABELLED) and _NOT_OF_RECIPIENTS.search(line):
                continue
            for match in pattern.finditer(line):
                address = match[1].strip("'=.")
                if (
                    pattern is _LEADS
                    and _ROLES.match(address)
                    and _NAMES_HELP.search(" ".join(notes[max(0, number - 1) : number + 1]))
                ):
                    continue
                if address.lower() not in others and address.lower() not in map(str.lower, found):
                    found[address] = number
        if found:
            return found
    return {}


def _local_names(report: Report) -> dict[str, int]:
    """Names without a domain, which only the server that keeps the mailbox would write."""
    domain = "".join(addresses(report.header("from"))[:1]).partition("@")[2]
    found: dict[str, int] = {}
    for number, line in enumerate(report.notes):
        announced = next((above for above in reversed(report.notes[:number]) if above.strip()), "")
        if domain and announced.rstrip().endswith(":") and (name := _LOCAL_NAME.match(line)):
            found[f"{name[1]}@{domain}"] = number
    return found


def _in_passing(notes: list[str], others: set[str]) -> dict[str, int]:
    for number, line in enumerate(notes):
        if not _NOT_OF_RECIPIENTS.search(line) and not _NAMES_HELP.search(line):
            named = [one for one in _only(addresses(line), others) if not _ROLES.match(one)]
            if named:
                return dict.fromkeys(named, number)
    return {}


def _returned_to(report: Report, others: set[str]) -> list[str]:
    """Whom the message was for that came back."""
    for name in ("x-envelope-to", "x-original-to", "to", "cc"):
        if found := _only(addresses(", ".join(report.original.get(name, []))), others):
            return found
    received = re.findall(r"\bfor <?([^\s<>;]+@[^\s<>;]+)", " ".join(report.original.get("received", [])))
    return _only(addresses(" ".join(received[:1])), others)


def _not_recipients(report: Report) -> set[str]:
    """Who wrote the report and whom it is for."""
    named = [first(report.headers, name) for name in ("to", "from", "reply-to", "delivered-to")]
    named += [first(report.original, name) for name in ("from", "return-path")]
    return {address.lower() for text in named for address in FIND_ADDRESS.findall(text)}


def _only(found: list[str], others: set[str]) -> list[str]:
    return [address for address in found if address.lower() not in others]


def _block(notes: list[str], start: int, starts: Iterable[int], *, skip_blank: bool = False) -> str:
    """The lines from `start` to the next blank one or the next recipient, on one line."""
    taken: list[str] = []
    for number in range(start, min(start + _MAX_BLOCK, len(notes))):
        line = notes[number].strip()
        if (number > start and number in starts) or (not line and not (skip_blank and not taken)):
            break
        taken.append(line)
    return one_line(" ".join(taken))
