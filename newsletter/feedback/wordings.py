"""What servers write, and what they mean by it: patterns by reason, the first that is found decides.

Seen in lower case and without the accents of Latin letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from newsletter.feedback.signal import Reason

_WHO = r"(?:user|recipient|mailbox|address|addressee|account)\b"
_NOT = r"(?:nicht|keine?|unbekannt|ungultig|inconnue?|invalide|erronee?|n'existe pas|inexistant)"
_WEM = r"(?:benutzer|empfanger|adresse|postfach|mailbox|konto|destinataire|utilisateur)\b"


class Rule(NamedTuple):
    """Any of the patterns means the reason."""

    reason: Reason
    patterns: tuple[str, ...]


class Rules:
    """Rules ready to be looked for, in order."""

    def __init__(self, *rules: Rule) -> None:
        self._compiled = [(rule.reason, re.compile("|".join(rule.patterns))) for rule in rules]

    def find(self, text: str) -> Reason | None:
        return next(self._matches(text), None)

    def _matches(self, text: str) -> Iterator[Reason]:
        return (reason for reason, pattern in self._compiled if pattern.search(text))


# How it ended on the way, where no server's reply says so.
ON_THE_WAY = Rules(
    Rule(Reason.POLICY, (r"\bsender.{0,20}(?:domain|address|verif)|domain of sender|mail from domain|\bhelo\b",)),
    Rule(
        Reason.NETWORK,
        (
            r"loops? back to myself|too many hops|hop count|\bmail ?loop|routing loop|loop detected",
            r"unexpected name server reply|malformed .{0,30}name server|(?:host|domain).{0,80}try again\b",
        ),
    ),
    Rule(
        Reason.UNKNOWN_DOMAIN,
        (
            r"(?:host|domain) (?:name )?(?:or domain name )?(?:not found|unknown|lookup failed)",
            r"host \S+ not found",
            r"unknown (?:mail )?(?:host|domain)|no such (?:host|domain)|non-?existent (?:hosts?|domain)|nxdomain",
            r"domain must exist|find any host named|unroute?able|illegal host|find a gateway|bad destination host",
            r"no mx(?: record)?s?\b",
            r"domain\b.{0,60}(?:n.t (?:be found|exist|resolve)|not (?:found|exist|resolve|valid))",
            r"dominio .{0,20}no exist|domaine .{0,20}n'existe pas",
        ),
    ),
    Rule(
        Reason.EXPIRED,
        (
            r"retry time(?:out)?\b|message expired|queue (?:time|period|lifetime)",
            r"\bqueued? .{0,20}too long|not yet",
            r"delivery (?:time|period) (?:has )?expired|message (?:timed out|timeout)|time-?to-?live",
            r"giv(?:e|ing) up\b",
            r"(?:deliver\w*|sent|attempt\w*) (?:after|within|for|in|was aborted).{0,30} (?:day|hour|minute)",
            r"(?:more than|last|past|within) \d+(?:\.\d+)? (?:day|hour|minute)",
            r"(?:delayed|warning).{0,80}(?:hour|queue)|will (?:be re-?tried|keep trying|continue)",
        ),
    ),
    Rule(
        Reason.NETWORK,
        (
            r"connection (?:was )?(?:refused|timed ?out|reset|dropped|closed|lost|failed|died)|conversation",
            r"timed? ?-?out|no route|unreachable|not (?:responding|reachable|answering)|deferred|offline",
            r"(?:lost|couldn't|could not|cannot|unable to|can't|failed to) (?:\w+ ){0,3}connect|input/output error",
            r"accept our requests to connect|socket error",
            r"name ?server|name lookup fail|\bdns\b|\btls\b|unable to (?:look ?up|resolve)",
        ),
    ),
)

# What texts say that SMTP replies do not, in the languages they say it in.
IN_WORDS = Rules(
    Rule(
        Reason.FULL,
        (
            r"(?:boite|casella|buzon|postfach|caixa)\b.{0,60}(?:pleine|piena|lleno|voll|cheia)\b|speicher",
            r"(?:quota|cuota|cota)\b|переполнен|квот|いっぱい|一杯|容量.{0,12}(?:超|オーバー|不足)|已满",
            r"mailbox\b.{0,40}\b(?:exceed|limit|size)|over (?:his|her|its|their|the|disk|storage) |spool is full",
        ),
    ),
    Rule(
        Reason.TOO_LARGE,
        (
            r"(?:message|mail|e-?mail)\b.{0,30}(?:too (?:big|large)|size|大きすぎ)|nachricht .{0,20}zu gross",
            r"message .{0,20}trop (?:gros|volumineux)",
        ),
    ),
    Rule(
        Reason.INACTIVE,
        (
            r"account is temporarily limited",
            r"(?:account|user|mailbox|recipient)\b.{0,60}(?:disabled|suspended|inactiv|deactivated|locked)",
            r"(?:compte|boite|konto|cuenta)\b.{0,40}(?:desactive|suspendu|deaktiviert|gesperrt|suspendida)",
        ),
    ),
    Rule(
        Reason.MOVED,
        (
            r"\b(?:has|have) (?:moved|changed|left)|new (?:e-?mail )?address (?:is|of)",
            r"neue adresse|a demenage|nouvelle adresse|nueva direccion",
        ),
    ),
    Rule(
        Reason.UNKNOWN_USER,
        (
            r"not (?:recognised|recognized|a valid user)|not listed in .{0,60}(?:address book|directory)",
            r"can't accept user|find any account|undeliverable address|missing home directory|validrcptto",
            r"(?:account|mailbox)\b.{0,30}(?:deleted|removed|closed|not present|unavailable)",
            r"(?:(?<!may )not|n't) exist|no existe",
            r"no match(?:es|ing)? |(?:unknown|illegal|invalid|no such|bad) .{0,20}(?:user|recipient|mailbox|addres)",
            rf"{_WHO}.{{0,60}}(?:\b(?:unknown|invalid|illegal)|not (?:exist|found|known|match)|n't ex)",
            r"(?:user|recipient|mailbox|address|account|nobody|no one)\b.{0,40}(?:no longer|by that name)",
            rf"{_WEM}.{{0,60}}{_NOT}|{_NOT}.{{0,30}}\b{_WEM}",
            r"(?:usuario|cuenta|buzon|direccion|destinatari[oa])\b.{0,60}(?:no (?:exist|val)|desconoc|inexist)",
            r"(?:utente|casella|indirizzo|destinatario)\b.{0,60}(?:non (?:esist|val|trov)|sconosciut|inesist)",
            r"(?:usuario|endereco|caixa|conta)\b.{0,60}(?:nao (?:exist|encontrad)|desconhecid|inexist)",
            r"не существует|не наиден|неизвестн|такого пользователя|bestaat niet|onbekende|nie istnieje",
            r"存在しま|見つか[りら]|リストにありません|ユーザー?(?:が|は)?不明|不存在|无此用户|未找到",
        ),
    ),
)

# Finer than that an address is at fault: a code, a status, then words.
OF_AN_ADDRESS = Rules(
    Rule(Reason.GREYLISTED, (r"gr[ae]y-?list",)),
    Rule(Reason.POLICY, (r"resolver\.rst\.|\bspf\b|\bspam|filter",)),
    Rule(Reason.INACTIVE, (r"not accepting (?:any )?(?:e-?)?mail",)),
    # Exchange gives both of these the same status.
    Rule(Reason.UNKNOWN_USER, (r"recipient ?not ?found",)),
    Rule(Reason.NO_MAIL, (r" \d\.1\.10\b|^5(?:21|56)|null mx|(?:does not|n't) accept (?:any )?(?:e-?)?mail",)),
    Rule(
        Reason.MOVED,
        (r"^551| 5\.1\.6\b|(?:user|recipient|has|mailbox) (?:has )?(?:moved|gone)\b|new (?:e-?mail )?address",),
    ),
    Rule(Reason.UNKNOWN_USER, (rf"{_WHO}.{{0,30}}(?:unknown|not (?:be )?found|not exist|n't exist)",)),
    Rule(Reason.INACTIVE, (r"disabled|suspended|inactiv|deactivated|discontinued|locked\b|temporarily|not active",)),
    Rule(
        Reason.UNKNOWN_DOMAIN,
        (
            r" [45]\.1\.2\b| 5\.4\.(?:4|310)\b|domain\b.{0,60}n.t (?:found|exist|hosted)|no such domain",
            r"host (?:or domain name )?(?:not found|unknown)|unroute?able|domain not found",
        ),
    ),
)
FULL = re.compile(r"\bmail ?box (?:is )?full\b|over ?quota\b|quota exceeded")
TOO_LARGE = re.compile(r" \d\.(?:2\.3|3\.4)\b|too (?:large|big|long)|\bsize\b|taille|exceed")
GREYLISTED = re.compile(r"gr[ae]y-?list")
