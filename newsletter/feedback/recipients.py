"""Recipients named in a text that a server wrote for people."""

from __future__ import annotations

import re
from collections.abc import Iterable

from newsletter.feedback.mime import first
from newsletter.feedback.report import ADDRESS, FIND_ADDRESS, Report, addresses, received_for

_ROLES = re.compile(
    r"^(?:post[-_.]?master|mailer[-_.]?daemon|abuse|support|help\w*|admin\w*|info|noc|hostmaster)@", re.I
)
_OF_SENDERS = re.compile(
    r"^\W*(?:from|sender|reply-to|message[- ]?id|return-path|envelope-from|original sender|received)\b"
    r"|^\W*(?:sent by|errors-to)\b|mail from\b|message-id"
    r"|(?:generated|expanded) (?:from|by)|on behalf of|alias for|help@|assistance",
    re.IGNORECASE,
)
_NAMES_HELP = re.compile(
    r"contact|assistance|questions?|problems? with|write to|reply to|e-?mail to|report this|forward", re.IGNORECASE
)

# A line that starts with an address, after bullets and brackets at most.
_LEADS = re.compile(
    rf"^[\s>*•=-]{{0,20}}(?:\d{{1,3}}[.)] )?[<\"'(\[]{{0,2}}(?:mailto:|smtp:|rfc822; ?)?({ADDRESS})(?=$|[^\w@-])",
    re.IGNORECASE,
)
_LABELS = (
    r"recipients?(?: address)?",
    r"errors?",
    r"addressed to",
    r"delivered to",
    r"deliver(?:y|ed)?(?: (?:a |this |your |the )?(?:message|mail))?(?: to)?",
    r"unknown user",
    r"user unknown",
    r"user(?:id)?",
    r"undeliver\w+(?: mail)? to",
    r"mailbox",
    r"failed(?: for| to)?",
    r"addresse?e?",
    r"gateway for",
    r"smtp",
    r"to the following (?:address|recipient)\w*",
    r"destinataire",
    r"empf(?:ä|ae)nger",
    r"destinatari[oa]",
    r"получател\w+",
    r"宛先",
)
_LABELLED = re.compile(rf"(?:{'|'.join(_LABELS)})\W{{1,6}}(?:mailto:)?({ADDRESS})", re.IGNORECASE)
_TRANSCRIPT = re.compile(rf"rcpt to ?: ?<? ?({ADDRESS})", re.IGNORECASE)
_ADDRESSED = re.compile(rf"^\W{{0,10}}to ?:\W{{0,4}}({ADDRESS})", re.IGNORECASE)
_WAYS = (_LEADS, _LABELLED, _TRANSCRIPT, _ADDRESSED)
# A name alone, under a line that announces recipients: the server's own domain is meant.
_LOCAL_NAME = re.compile(r"^\s+([A-Za-z0-9][\w.+-]{0,63})$")
_ON_ONE_LINE = 10


def recipients(report: Report) -> dict[str, int]:
    """The recipients a text is about, in its order, with the lines that name them; -1 where a header does."""
    others = _not_recipients(report)
    # Where somebody wrote to themselves, who sent it is who did not get it.
    named = _in_text(report.notes, others) or _in_text(report.notes, set(), (_LEADS,))
    if failed := addresses(", ".join(report.headers.get("x-failed-recipients", []))):
        return {address: named.get(address, -1) for address in failed}
    return named or _local_names(report) or _in_passing(report.notes, others) or _returned_to(report, others)


def _in_text(notes: list[str], others: set[str], ways: Iterable[re.Pattern[str]] = _WAYS) -> dict[str, int]:
    """Found in the surest way that finds any."""
    for pattern in ways:
        found: dict[str, int] = {}
        seen = set(others)
        for number, line in enumerate(notes):
            if pattern in (_LEADS, _LABELLED) and _OF_SENDERS.search(line):
                continue
            for match in pattern.finditer(line):
                address = match[1].strip("'=.")
                if address.lower() not in seen and not (pattern is _LEADS and _is_help(address, notes, number)):
                    seen.add(address.lower())
                    found[address] = number
        if found:
            return found
    return {}


def _is_help(address: str, notes: list[str], number: int) -> bool:
    """Whether a sentence that began on the line above offers the address of somebody who could help."""
    return bool(_ROLES.match(address) and _NAMES_HELP.search(" ".join(notes[max(0, number - 1) : number + 1])))


def _local_names(report: Report) -> dict[str, int]:
    """Names without a domain, which only the server that keeps the mailbox would write."""
    domain = "".join(addresses(report.header("from"))[:1]).partition("@")[2]
    found: dict[str, int] = {}
    above = ""
    for number, line in enumerate(report.notes):
        if domain and above.endswith(":") and (name := _LOCAL_NAME.match(line)):
            found[f"{name[1]}@{domain}"] = number
        above = line.rstrip() or above
    return found


def _in_passing(notes: list[str], others: set[str]) -> dict[str, int]:
    for number, line in enumerate(notes):
        if not _OF_SENDERS.search(line) and not _NAMES_HELP.search(line):
            named = [one for one in _only(addresses(line), others) if not _ROLES.match(one)]
            if named:
                return dict.fromkeys(named[:_ON_ONE_LINE], number)
    return {}


def _returned_to(report: Report, others: set[str]) -> dict[str, int]:
    """Whom the message was for that came back."""
    for name in ("x-envelope-to", "x-original-to", "to", "cc"):
        if found := _only(addresses(", ".join(report.original.get(name, [])), local=True), others):
            return dict.fromkeys(found, -1)
    return dict.fromkeys(_only(received_for(report.original), others), -1)


def _not_recipients(report: Report) -> set[str]:
    """Who wrote the report and whom it is for."""
    named = [first(report.headers, name) for name in ("to", "from", "reply-to", "delivered-to")]
    named += [first(report.original, name) for name in ("from", "return-path")]
    return {address.lower() for text in named for address in FIND_ADDRESS.findall(text)}


def _only(found: list[str], others: set[str]) -> list[str]:
    return [address for address in found if address.lower() not in others]
