"""Text records of the DNS, with “could not look” told apart from “there is none”."""

from __future__ import annotations

from collections.abc import Iterator

from dns.exception import DNSException
from dns.resolver import NXDOMAIN, Cache, NoAnswer, NoResolverConfiguration, Resolver

SECONDS = 5.0


class UnseenError(Exception):
    """Nobody who should know answered, and why: the record may well be there."""


def system_resolver() -> Resolver | None:
    """The resolver of this machine, which keeps what it was told; None where the machine has none."""
    try:
        resolver = Resolver()
    except NoResolverConfiguration:
        return None
    resolver.cache = Cache()
    resolver.lifetime = SECONDS
    return resolver


def texts(resolver: Resolver | None, name: str) -> list[str]:
    """The TXT records at a name, each joined (RFC 7208 section 3.3); empty where there are none.

    Raises UnseenError for SERVFAIL, for no answer in time, and without a resolver.
    """
    if resolver is None:
        raise UnseenError("this machine has no name server")
    try:
        answer = resolver.resolve(name, "TXT")
    except (NXDOMAIN, NoAnswer):
        return []
    except DNSException as error:
        raise UnseenError(f"{name}: {type(error).__name__}") from None
    return [b"".join(record.strings).decode("ascii", "replace") for record in answer]


def tags(record: str) -> dict[str, str]:
    """The `tag=value` pairs of a DKIM or DMARC record (RFC 6376 section 3.2)."""
    return dict(_pairs(record))


def _pairs(record: str) -> Iterator[tuple[str, str]]:
    for written in record.split(";"):
        name, equals, value = written.partition("=")
        if equals:
            yield name.strip().lower(), "".join(value.split())
