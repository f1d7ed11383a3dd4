"""Why a server refused a message, as far as its reply tells: its code, its enhanced status (RFC 3463) and its words.

Servers lie: they say 5.7.1 of mailboxes that are gone and 5.1.1 of full ones. So words that leave no doubt go first,
then statuses with one meaning, then other words, then what remains of the numbers. Between the address and anything
else it is the other that is blamed: nobody notices a subscriber who is dropped by mistake.
"""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import NamedTuple


class Refusal(StrEnum):
    """What stood in the way."""

    # No such mailbox or domain, or it takes no mail, or none from strangers.
    ADDRESS = "address"
    # The mailbox is over its quota.
    FULL = "full"
    # Who sends: reputation, authentication, rights.
    POLICY = "policy"
    # What is sent: its size, its form, what it says.
    CONTENT = "content"
    # How much at once; or the server asks to be tried later.
    RATE = "rate"
    OTHER = "other"


# The others are about us or about the message.
ABOUT_THE_RECIPIENT = frozenset({Refusal.ADDRESS, Refusal.FULL})


class Rule(NamedTuple):
    """Holds where `words` is found in a reply and `numbers` in its code and status, such as `550 5.1.1`.

    Words are seen in lower case, without accents, addresses and the queries of links.
    """

    refusal: Refusal
    words: str = ""
    numbers: str = ""


_BACKS_OFF = r"^421| 4\.7\."
_WHO = r"(?:user|recipient|addressee|mail ?box|e-?mail address|address|account|alias|person|rcpt|local[ -]part)"
_WHOM = rf"(?:\b{_WHO}\b|< >).{{0,60}}"

# The first that holds decides.
RULES = (
    Rule(Refusal.RATE, numbers=_BACKS_OFF),
    # Words that leave no doubt.
    Rule(Refusal.RATE, r"gr[ae]y-?list|verification in progress", r"^4"),
    Rule(Refusal.RATE, r"at a rate that|too quickly|\b(?:daily|hourly|sending|rate)\b.{0,25} (?:limit|quota)"),
    Rule(Refusal.RATE, r"too many recipients"),
    Rule(Refusal.FULL, r"quota|(?:mail ?box|inbox|account|boite|postfach|storage)\b.{0,30} (?:full|pleine|voll)\b"),
    Rule(Refusal.FULL, r"full mailbox|mail ?box\b.{0,30} exceed|(?:out of|enough|allowed) (?:storage|space|disk)"),
    Rule(Refusal.FULL, r"speichervolumen|speicherplatz|space has been used|too many messages on the server"),
    Rule(Refusal.POLICY, r"spamhaus|spamcop|barracuda ?(?:central|reputation)|dnsbl|\brbl\b|bl[ao]ck[ -]?list"),
    Rule(Refusal.POLICY, r"(?<!not )listed (?:at|in|on|by) |sender (?:address )?rejected|invalid sender"),
    # Exchange, of groups and people who take no mail from outside or from strangers.
    Rule(Refusal.ADDRESS, r"resolver\.rst\.", r" 5\.7\."),
    # Exchange Online, of addresses that its directory does not know.
    Rule(Refusal.ADDRESS, r"recipient address(?:es)? rejected ?: access denied", r"^5"),
    Rule(Refusal.ADDRESS, r"recipient address rejected ?: .{0,20}\bdisabled|disabled recipient", r"^5"),
    # Statuses with one meaning.
    Rule(Refusal.ADDRESS, numbers=r"\.1\.(?:[12346]|10)$| \d\.2\.[14]$| 5\.4\.(?:4|310)$| 5\.7\.1(?:2[49]|3[3-6])$"),
    Rule(Refusal.FULL, numbers=r" \d\.2\.2$"),
    Rule(Refusal.CONTENT, numbers=r" \d\.(?:2\.3|3\.4|6\.\d+)$"),
    Rule(Refusal.POLICY, numbers=r" \d\.1\.[78]$| 5\.7\.(?!0$|1$)"),
    # How much.
    Rule(Refusal.RATE, r"too many (?!hops|unwanted|spam|complaints)|trop de connexions|throttl|slow down"),
    Rule(Refusal.RATE, r"rate[- ]?limit|(?:excessive|unusual|maximum|sending) .{0,12}rate\b"),
    # What.
    Rule(Refusal.CONTENT, r"virus|malware|attachment|security issue|\bcontent\b|malformed|\brfc ?[25][38]22\b"),
    Rule(Refusal.CONTENT, r"too (?:large|big|long)\b|\bsize\b.{0,40}(?:limit|exceed)|exceed\w* .{0,30}\bsize"),
    Rule(Refusal.CONTENT, r"taille limite|message filtered|(?:from|date|subject|message)\W* headers?\b"),
    # Who.
    Rule(Refusal.POLICY, r"\bsender\b|emetteur|\bips?\b|reputation|polic(?:y|ies)|authenti|not verified|spoof"),
    Rule(Refusal.POLICY, r"\b(?:spf|dkim|dmarc|ptr|rdns|helo)\b|reverse dns|client host|rcpthosts|\brelay"),
    Rule(Refusal.POLICY, r"\byour (?:account|domain|host|network|(?:mail )?server)|you are (?:sending|not allowed)"),
    Rule(Refusal.POLICY, r"unauthori[sz]ed|open proxy|cannot resolve|mail from\b|(?:from|return|reply-to) address"),
    # To whom.
    Rule(Refusal.ADDRESS, _WHOM + r"(?:unknown|invalid|no longer|n't exist|n't have an? .* account)"),
    Rule(Refusal.ADDRESS, _WHOM + r"\bnot (?:be )?(?:found|known|exist|listed|active|valid|local)"),
    Rule(Refusal.ADDRESS, _WHOM + r"(?:disabled|inactiv|suspended|discontinued|deactivated|closed|expired|locked)"),
    Rule(Refusal.ADDRESS, _WHOM + r"(?:unavailable|not available|rejected|not ok)", r"^5"),
    Rule(Refusal.ADDRESS, rf"\b(?:unknown|invalid|inactive|bad|no|no such|non-?existent) {_WHO}\b(?! record)"),
    Rule(Refusal.ADDRESS, rf"\bnot an? (?:known |valid |local |active )?{_WHO}\b|\bno one at this|not our customer"),
    Rule(Refusal.ADDRESS, r"inconnu|unbekannt|nicht bekannt|onbekend|desconocid|sconosciut|destinataire (?:in|est )"),
    Rule(Refusal.ADDRESS, r"domain\b.{0,40}n.t (?:found|exist|hosted)|no such domain|unrouteable"),
    Rule(Refusal.ADDRESS, r"host (?:or domain name )?not found|not accept(?:ing)? (?:any )?(?:e-?)?mail\b(?! from)"),
    # Words that mean it where nothing better is said.
    Rule(Refusal.CONTENT, r"\bspam|unsolicited|\bjunk\b|\bbulk\b|phish|mail rejete"),
    Rule(Refusal.RATE, r"\blater\b|plus tard|busy|temporar\w* (?:block|reject|refus|unavail|limit)", r"^4"),
    Rule(Refusal.POLICY, r"block|denied|prohibit|(?<!connection )refuse|not (?:allowed|permitted)", r"^5"),
    # What remains of the numbers.
    Rule(Refusal.POLICY, numbers=r" 5\.7\.|^53[05]"),
    Rule(Refusal.ADDRESS, numbers=r"^55[16]"),
    Rule(Refusal.FULL, numbers=r"^552"),
)

_COMPILED = [(rule.refusal, re.compile(rule.words), re.compile(rule.numbers)) for rule in RULES]
_CODE = re.compile(r"[2-5]\d\d\b")
# Not part of an IP address.
_STATUS = re.compile(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_ADDRESS_OR_QUERY = re.compile(r"[^\s<>()\[\]:;,\"']+@[^\s<>()\[\]:;,\"']+|\?\S*=\S*")


def classify(reply: str) -> Refusal:
    """What stood in the way of a message, by the reply on one line; OTHER where that does not tell."""
    said, given = _words(reply), _numbers(reply)
    found = (refusal for refusal, words, numbers in _COMPILED if numbers.search(given) and words.search(said))
    return next(found, Refusal.OTHER)


def domain_backs_off(reply: str) -> bool:
    """Whether the server means all that it is sent, not one message: its code is 421 or its status 4.7.x."""
    return re.search(_BACKS_OFF, _numbers(reply)) is not None


def _numbers(reply: str) -> str:
    code, status = _CODE.match(reply), _STATUS.search(reply)
    return " ".join(found[0] if found else "" for found in (code, status))


def _words(reply: str) -> str:
    plain = unicodedata.normalize("NFKD", _ADDRESS_OR_QUERY.sub(" ", reply).replace("’", "'").casefold())
    return "".join(sign for sign in plain if not unicodedata.combining(sign))
