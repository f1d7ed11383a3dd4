"""Why a message came back, and whether that is the address's last word.

`mail/refusals.py` tells an address from a full mailbox, a policy, a content and a rate by what a server replied. Here
its answer is made finer, and languages and endings are added that no SMTP reply has: a queue that gave up, a host that
could not be found, a text in Japanese.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from newsletter.feedback.signal import Reason, Severity
from newsletter.mail.refusals import Refusal, classify

_LATIN_MARKS = range(0x300, 0x370)
# Mail to these comes back whatever is sent, whoever sends it and however often.
_LASTING = (Reason.UNKNOWN_USER, Reason.UNKNOWN_DOMAIN, Reason.MOVED, Reason.NO_MAIL)
_BLAMED: dict[Refusal, Reason] = {
    Refusal.ADDRESS: Reason.UNKNOWN_USER,
    Refusal.FULL: Reason.FULL,
    Refusal.POLICY: Reason.POLICY,
    Refusal.CONTENT: Reason.CONTENT,
    Refusal.RATE: Reason.RATE,
    Refusal.OTHER: Reason.OTHER,
}


class Rule(NamedTuple):
    """Holds where `words` is found: in lower case and without accents."""

    reason: Reason
    words: str


# Who or what is meant, in the languages servers write in.
_NOT = (
    r"(?:nicht|keine?|unbekannt|ungultig|no existe|inexistente|inconnue?|invalide|erronee?|n'existe pas|non esiste)"
)
# Where there is no reply of a server: how it ended on the way. The first that holds decides.
ON_THE_WAY = (
    Rule(Reason.NETWORK, r"loops? back to myself|too many hops|hop count|\bmail ?loop|routing loop|loop detected"),
    Rule(
        Reason.NETWORK, r"unexpected name server reply|malformed .{0,30}name server|(?:host|domain).{0,80}try again\b"
    ),
    Rule(Reason.UNKNOWN_DOMAIN, r"(?:host|domain) (?:name )?(?:or domain name )?(?:not found|unknown|lookup failed)"),
    Rule(Reason.UNKNOWN_DOMAIN, r"host \S+ not found|unknown (?:mail )?(?:host|domain)|no such (?:host|domain)"),
    Rule(Reason.UNKNOWN_DOMAIN, r"find any host named|unroute?able|illegal host|find a gateway|bad destination host"),
    Rule(
        Reason.UNKNOWN_DOMAIN, r"domain\b.{0,60}(?:n.t (?:be found|exist|resolve)|not (?:found|exist|resolve|valid))"
    ),
    Rule(
        Reason.UNKNOWN_DOMAIN,
        r"non-?existent (?:hosts?|domain)|nxdomain|no mx(?: record)?s?\b|dominio .{0,20}no exist",
    ),
    Rule(
        Reason.EXPIRED,
        r"retry time(?:out)?\b|message expired|queue (?:time|period|lifetime)|\bqueued? .{0,20}too long",
    ),
    Rule(Reason.EXPIRED, r"delivery (?:time|period) (?:has )?expired|message (?:timed out|timeout)|time-?to-?live"),
    Rule(
        Reason.EXPIRED,
        r"(?:deliver\w*|sent|attempt\w*) (?:after|within|for|in|was aborted).{0,30} (?:day|hour|minute)",
    ),
    Rule(
        Reason.EXPIRED,
        r"(?:more than|last|past|within) \d+(?:\.\d+)? (?:day|hour|minute)|give up|giving up on|not yet",
    ),
    Rule(Reason.EXPIRED, r"will (?:be re-?tried|keep trying|continue)|(?:delayed|warning).{0,80}(?:hours?|queue)"),
    Rule(Reason.NETWORK, r"connection (?:was )?(?:refused|timed ?out|reset|dropped|closed|lost|failed|died)"),
    Rule(
        Reason.NETWORK, r"timed? ?-?out|no route|unreachable|not (?:responding|reachable|answering)|deferred|offline"
    ),
    Rule(
        Reason.NETWORK,
        r"(?:lost|couldn't|could not|cannot|unable to|can't|failed to) (?:\w+ ){0,3}connect|conversation",
    ),
    Rule(Reason.NETWORK, r"name ?server|\bdns\b|\btls\b|unable to (?:look ?up|resolve)|input/output error"),
)
# What words say that a reply in English does not.
IN_WORDS = (
    Rule(Reason.FULL, r"(?:boite|casella|buzon|postfach|caixa)\b.{0,60}(?:pleine|piena|lleno|voll|cheia)\b|speicher"),
    Rule(Reason.FULL, r"(?:quota|cuota|cota)\b|переполнен|квот|いっぱい|容量.{0,12}(?:超|オーバー|不足)|已满|超出.{0,6}(?:配额|容量)"),
    Rule(Reason.FULL, r"mailbox\b.{0,40}\b(?:exceed|limit|size)|over (?:his|her|its|their|the|disk|storage) |spool is full"),
    Rule(Reason.TOO_LARGE, r"(?:message|mail|e-?mail)\b.{0,30}(?:too (?:big|large)|size|大きすぎ)|nachricht .{0,20}zu gross"),
    Rule(Reason.INACTIVE, r"(?:account|user|mailbox|recipient)\b.{0,60}(?:disabled|suspended|inactiv|deactivated|locked)"),
    Rule(Reason.MOVED, r"\b(?:has|have) (?:moved|changed|left)|new (?:e-?mail )?address (?:is|of)|neue adresse|a demenage"),
    Rule(Reason.UNKNOWN_USER, r"recipient (?:name|address)? ?is not recogni|not (?:recognised|recognized|a valid user)"),
    Rule(Reason.UNKNOWN_USER, r"not listed in .{0,60}(?:address book|directory)|no match(?:es|ing)? |matches to nameserver"),
    Rule(Reason.UNKNOWN_USER, r"(?:unknown|illegal|invalid|no such|bad|nonexistent) .{0,20}(?:user|recipient|mailbox|addres)"),
    Rule(Reason.UNKNOWN_USER, r"(?:user|recipient|mailbox|address|addressee|account)\b.{0,60}\b(?:unknown|invalid|illegal)"),
    Rule(Reason.UNKNOWN_USER, r"(?:user|recipient|mailbox|address|account)\b.{0,60}(?:not (?:exist|found|known|match)|n't ex)"),
    Rule(Reason.UNKNOWN_USER, r"(?:user|recipient|mailbox|address|account|nobody|no one)\b.{0,40}(?:no longer|by that name)"),
    Rule(Reason.UNKNOWN_USER, rf"(?:benutzer|empfanger|adresse|postfach|mailbox|konto|destinataire|utilisateur)\b.{{0,60}}{_NOT}"),
    Rule(Reason.UNKNOWN_USER, rf"{_NOT}.{{0,30}}\b(?:benutzer|empfanger|adresse|postfach|destinataire|utilisateur)"),
    Rule(Reason.UNKNOWN_USER, r"(?:usuario|cuenta|buzon|direccion|destinatari[oa])\b.{0,60}(?:no (?:exist|val)|desconoc|incorrect)"),
    Rule(Reason.UNKNOWN_USER, r"(?:utente|casella|indirizzo|destinatario)\b.{0,60}(?:non (?:esist|val|trov)|sconosciut|inesist)"),
    Rule(Reason.UNKNOWN_USER, r"(?:usuario|endereco|caixa|conta)\b.{0,60}(?:nao (?:exist|encontrad)|desconhecid|inexist)"),
    Rule(Reason.UNKNOWN_USER, r"не существует|не наиден|неизвестн|такого пользователя|bestaat niet|onbekende|nie istnieje"),
    Rule(Reason.UNKNOWN_USER, r"存在しま|見つかりません|見つかりませんでした|リストにありません|ユーザー?(?:が|は)?不明|不存在|无此用户|未找到"),
)  # fmt: skip
# Finer than the refusal of an address.
_OF_AN_ADDRESS = (
    Rule(Reason.NO_MAIL, r" \d\.1\.10\b|^5(?:21|56)|null mx|does not accept (?:any )?(?:e-?)?mail|recipients? accepts? no mail"),
    Rule(Reason.MOVED, r"^551| 5\.1\.6\b|(?:user|recipient|has|mailbox) (?:has )?(?:moved|gone)\b|new (?:e-?mail )?address"),
    Rule(Reason.UNKNOWN_USER, r"(?:user|recipient|mailbox|address)\b.{0,30}(?:unknown|not (?:be )?found|not exist|n't exist)"),
    Rule(Reason.INACTIVE, r"disabled|suspended|inactiv|deactivated|discontinued|locked\b|temporarily|not active"),
    Rule(Reason.UNKNOWN_DOMAIN, r" [45]\.1\.2\b| 5\.4\.(?:4|310)\b|domain\b.{0,60}n.t (?:found|exist|hosted)|no such domain"),
    Rule(Reason.UNKNOWN_DOMAIN, r"host (?:or domain name )?(?:not found|unknown)|unroute?able|domain not found"),
)  # fmt: skip
_TOO_LARGE = Rule(Reason.TOO_LARGE, r" \d\.(?:2\.3|3\.4)\b|too (?:large|big|long)|\bsize\b|taille|exceed")
_GREYLISTED = Rule(Reason.GREYLISTED, r"gr[ae]y-?list")
# Said of a recipient after the message was seen: a filter speaks, not a directory.
_AFTER_THE_MESSAGE = (Reason.UNKNOWN_USER, Reason.NO_MAIL)

_CODE = re.compile(r"(?<![\d.:=#-])([45]\d\d)(?=[ \-:#]|$)")
_STATUS = re.compile(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?!\.?\d)")


def explain(words: str, status: str = "") -> Reason:
    """Why, by a server's words on one line and by its enhanced status where one is known; OTHER where they do not say."""
    code = _CODE.search(words)
    plain = plain_words(words)
    reply = f"{code[1] if code else status[:1] + '00' if status else ''} {sharper(status, words)} {plain}"
    if not code and (found := _first(ON_THE_WAY, plain)):
        return found
    refusal = classify(reply)
    if refusal is Refusal.ADDRESS:
        return _first(_OF_AN_ADDRESS, reply) or Reason.UNKNOWN_USER
    if refusal is Refusal.CONTENT and re.search(_TOO_LARGE.words, reply):
        return Reason.TOO_LARGE
    if refusal is Refusal.RATE and re.search(_GREYLISTED.words, plain):
        return Reason.GREYLISTED
    if refusal is not Refusal.OTHER:
        return _BLAMED[refusal]
    return _first(IN_WORDS, plain) or _first(ON_THE_WAY, plain) or Reason.OTHER


def after_the_message(reason: Reason) -> Reason:
    """The reason, where the server gave it only after the whole message (RFC 5321 section 4.1.1.4)."""
    return Reason.POLICY if reason in _AFTER_THE_MESSAGE else reason


def severity_of(reason: Reason, *, delayed: bool = False) -> Severity:
    """Hard where the address itself is gone; what is still being tried is never that."""
    return Severity.HARD if reason in _LASTING and not delayed else Severity.SOFT


def sharper(status: str, words: str) -> str:
    """The enhanced status that says more: the one in a server's words, where the reported one says only good or bad."""
    said = _STATUS.search(words)
    vague = not status or status.endswith((".0.0", ".0"))
    return said[0] if said and vague else status


def plain_words(text: str) -> str:
    """In lower case and without the accents of Latin letters."""
    apart = unicodedata.normalize("NFKD", text.replace("’", "'").casefold())
    return unicodedata.normalize("NFC", "".join(sign for sign in apart if ord(sign) not in _LATIN_MARKS))


def _first(rules: tuple[Rule, ...], text: str) -> Reason | None:
    return next((rule.reason for rule in rules if re.search(rule.words, text)), None)
