"""Email addresses: checked, and brought to the one form they are stored and compared in."""

from __future__ import annotations

import re
import unicodedata

import idna
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES, EMAIL_MAX_LENGTH, LOCAL_PART_MAX_LENGTH

from newsletter.errors import InputError
from newsletter.text import one_line

# Most addresses by far are like this, and for them the library's rules come down to a pattern.
_ATOM = r"[A-Za-z0-9_!#$%&'*+\-/=?^`{|}~]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_ORDINARY = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+([A-Za-z]{{2,63}}))")
_MAX_DOMAIN_LENGTH = 253
# The library has more to say of these, and is asked.
_SPECIAL_ENDINGS = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
_SPECIAL_LOCALS = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)

# What copying from web pages and mail programs leaves around an address, besides spaces.
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"
_SCHEME = "mailto:"


def normalise(address: str) -> str:
    """The form an address is stored in: NFC, domain in lower case, without “mailto:”, spaces or dots around it.

    Raises InputError that says what is wrong with it, by the rules of email-validator. No DNS is asked.
    """
    return _ordinary(address) or _normalise(_bare(address))


def _ordinary(address: str) -> str | None:
    """The normal form of a plain ASCII address; None where the library has to decide."""
    match = _ORDINARY.fullmatch(address)
    if match is None:
        return None
    local, domain, ending = match.groups()
    if (
        len(local) > LOCAL_PART_MAX_LENGTH
        or len(domain) > _MAX_DOMAIN_LENGTH
        or len(address) > EMAIL_MAX_LENGTH
        or "--" in domain
        or ending.lower() in _SPECIAL_ENDINGS
        or local.lower() in _SPECIAL_LOCALS
    ):
        return None
    return f"{local}@{domain.lower()}"


def _bare(address: str) -> str:
    bare = address.strip().strip(_INVISIBLE).strip()
    if bare[: len(_SCHEME)].lower() == _SCHEME:
        bare = bare[len(_SCHEME) :].lstrip()
    return unicodedata.normalize("NFC", bare.rstrip("."))


def _normalise(address: str) -> str:
    if not address:
        raise InputError("the address is empty")
    try:
        return validate_email(address, check_deliverability=False, allow_domain_literal=False).normalized
    except EmailNotValidError as error:
        shown = one_line(address[:80])
        raise InputError(f"“{shown}” is not an email address: {_first_sentence(str(error))}") from None


def domain_of(address: str) -> str:
    """The domain of a normalised address as settings, paces and DNS have it: in IDNA's ASCII form.

    Raises InputError as `for_wire` does.
    """
    return for_wire(address).rpartition("@")[2]


def shown_domain(domain: str) -> str:
    """A domain as readers know it, and as it stands in a normalised address: what `domain_of` makes ASCII, undone."""
    return idna.decode(domain) if "xn--" in domain else domain


def for_wire(address: str) -> str:
    """The address with its domain in ASCII (IDNA 2008, RFC 5891), as headers and envelopes carry it."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"
    except idna.IDNAError as error:
        raise InputError(f"the domain of “{address}” cannot be written in ASCII: {error}") from None


def needs_smtputf8(address: str) -> bool:
    """Whether only a server with SMTPUTF8 (RFC 6531) can take this address: its local part is not ASCII."""
    return not address.rpartition("@")[0].isascii()


def _first_sentence(message: str) -> str:
    return one_line(message.split(". ", maxsplit=1)[0]).rstrip(".")
