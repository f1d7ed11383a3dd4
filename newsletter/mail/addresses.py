"""Email addresses: checked, and brought to the one form they are stored and compared in."""

from __future__ import annotations

import unicodedata

import idna
from email_validator import EmailNotValidError, validate_email

from newsletter.errors import InputError
from newsletter.text import one_line


def normalise(address: str) -> str:
    """The form an address is stored in: no spaces around, NFC, domain in lower case.

    Raises InputError that says what is wrong with it. No DNS is asked.
    """
    candidate = unicodedata.normalize("NFC", address.strip())
    if not candidate:
        raise InputError("the address is empty")
    try:
        return validate_email(candidate, check_deliverability=False, allow_domain_literal=False).normalized
    except EmailNotValidError as error:
        shown = one_line(candidate[:80])
        raise InputError(f"“{shown}” is not an email address: {_first_sentence(str(error))}") from None


def domain_of(address: str) -> str:
    """The domain of a normalised address."""
    return address.rpartition("@")[2]


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
