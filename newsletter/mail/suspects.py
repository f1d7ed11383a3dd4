"""Addresses that are well formed and still doubtful: shared, thrown away after use, or mistyped."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Doubt(StrEnum):
    """Why an address may not be what its owner, or the sender, thinks."""

    ROLE = "role"
    DISPOSABLE = "disposable"
    TYPO = "typo"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A doubt about one address; of a typo, `suggestion` is the address that was probably meant."""

    doubt: Doubt
    words: str
    suggestion: str | None = None


# Read by a team or a program rather than a person who signed up (RFC 2142 and common use).
_ROLE_WORDS = (
    "abuse accueil admin administrator all billing bookkeeping careers comptabilite contact direction editor "
    "enquiries everyone facturation feedback hello help helpdesk hostmaster hr info information investorrelations "
    "it jobs kontakt legal list mail mailer-daemon marketing media news newsletter no-reply noc noreply office ops "
    "orders postmaster presse press privacy purchasing recruitment redaction root sales secretariat security service "
    "spam staff subscribe support sysadmin team tech unsubscribe usenet vertrieb webmaster www"
)
_DISPOSABLE_WORDS = (
    "0-mail.com 10minutemail.com 10minutemail.net 20minutemail.com anonbox.net burnermail.io discard.email "
    "discardmail.com dispostable.com emailondeck.com fakeinbox.com fakemail.net getairmail.com getnada.com "
    "grr.la guerrillamail.biz guerrillamail.com guerrillamail.info guerrillamail.net guerrillamail.org "
    "harakirimail.com inboxbear.com inboxkitten.com jetable.org mail-temp.com mail.tm mailcatch.com maildrop.cc "
    "mailinator.com mailinator.net mailinator.org mailnesia.com mailnull.com mailsac.com mintemail.com mohmal.com "
    "moakt.com mytemp.email mytrashmail.com nada.email sharklasers.com spam4.me spamgourmet.com spamex.com "
    "temp-mail.io temp-mail.org tempail.com tempinbox.com tempmail.com tempmail.net tempr.email throwawaymail.com "
    "trash-mail.com trashmail.com trashmail.de trashmail.net wegwerfmail.de yopmail.com yopmail.fr yopmail.net"
)
# Where most readers have their mailboxes, so where most typing errors are made.
_PROVIDER_WORDS = (
    "gmail.com googlemail.com hotmail.com hotmail.fr hotmail.be hotmail.co.uk hotmail.de hotmail.it hotmail.es "
    "outlook.com outlook.fr outlook.be outlook.de live.com live.fr live.be live.nl yahoo.com yahoo.fr yahoo.co.uk "
    "yahoo.de yahoo.es yahoo.it icloud.com orange.fr wanadoo.fr laposte.net skynet.be telenet.be proximus.be "
    "protonmail.com free.fr web.de t-online.de gmx.net gmx.de gmx.fr mail.ru yandex.ru"
)
# Domains a slip away from a provider's that are providers themselves.
_REAL_WORDS = "mail.com ymail.com email.com gmx.com gmx.at gmx.ch live.co live.de ive.com hotmail.co"

ROLES = frozenset(_ROLE_WORDS.split())
DISPOSABLE_DOMAINS = frozenset(_DISPOSABLE_WORDS.split())
PROVIDERS = tuple(_PROVIDER_WORDS.split())
REAL_DOMAINS = frozenset(_REAL_WORDS.split())

_SHORTEST_NAME = 5
_WRONG_ENDINGS = {"com": ("con", "cmo", "ocm", "vom", "comm", "cpm", "xom", "co", "om"), "fr": ("rf", "frr")}


def suspect(address: str) -> Suspect | None:
    """What is doubtful about a normalised address; None for nearly all of them."""
    local, _, domain = address.rpartition("@")
    if domain in _TYPOS:
        meant = f"{local}@{_TYPOS[domain]}"
        return Suspect(Doubt.TYPO, f"the domain {domain} looks mistyped: {meant}?", meant)
    if domain in DISPOSABLE_DOMAINS:
        return Suspect(Doubt.DISPOSABLE, f"{domain} gives out addresses that are thrown away after use")
    if local.lower() in ROLES:
        return Suspect(Doubt.ROLE, f"“{local}@” is usually read by a team, not by the person who signed up")
    return None


def _slips(domain: str) -> set[str]:
    """The domain with two letters of its name swapped, one left out or one doubled, or with its ending mistyped."""
    name, dot, ending = domain.partition(".")
    rest = dot + ending
    slips = {f"{name}.{wrong}" for wrong in _WRONG_ENDINGS.get(ending, ())}
    if len(name) >= _SHORTEST_NAME:
        slips |= {name[:at] + name[at + 1] + name[at] + name[at + 2 :] + rest for at in range(len(name) - 1)}
        slips |= {name[:at] + name[at + 1 :] + rest for at in range(len(name))}
        slips |= {name[: at + 1] + name[at:] + rest for at in range(len(name))}
    return slips


_TYPOS = {slip: domain for domain in reversed(PROVIDERS) for slip in _slips(domain)}
for _right in (*PROVIDERS, *REAL_DOMAINS):
    _TYPOS.pop(_right, None)
