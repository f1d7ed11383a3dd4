"""What receivers look up of the From domain: SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from dns.resolver import Resolver

from newsletter.mail.dkim import DkimKey
from newsletter.preflight.dns import UnseenError, tags, texts
from newsletter.preflight.finding import Finding, Looked, error, warning


@dataclass(frozen=True, slots=True)
class Key:
    """A DKIM key that messages are signed with; `record` is what the DNS must say of it: its `p=` value."""

    domain: str
    selector: str
    record: str

    @property
    def name(self) -> str:
        """Where its record stands."""
        return f"{self.selector}._domainkey.{self.domain}"

    @classmethod
    def of(cls, key: DkimKey) -> Key:
        """The public half of a key (RFC 6376 section 3.6.1, RFC 8463 section 4)."""
        public = key.private_key.public_key()
        if isinstance(key.private_key, Ed25519PrivateKey):
            der = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        else:
            der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return cls(key.domain, key.selector, b64encode(der).decode("ascii"))


def look_at_domain(domain: str, keys: Sequence[Key], resolver: Resolver | None, bounce_domain: str = "") -> Looked:
    """Faults of a From domain in lower case ASCII. `keys` are those that sign for it: its own, or of one above it.

    SPF is looked up where bounces go, the domain of the envelope (RFC 7208 section 2.4): the From domain, so that it
    always aligns, unless `bounce_domain` says another.
    """
    looked = Looked()
    if not keys:
        told = f"messages from {domain} are not signed: no DKIM key of the settings is for it"
        looked.findings.append(warning("dkim-unsigned", None, told, "add one under [[dkim]] (docs/settings.md)"))
    looks = (
        _spf(bounce_domain or domain, resolver),
        _dmarc(domain, keys, resolver),
        *(_dkim(key, resolver) for key in keys),
    )
    for look in looks:
        try:
            looked.findings += look
        except UnseenError as unseen:
            looked.unseen.append(str(unseen))
    return looked


def _spf(domain: str, resolver: Resolver | None) -> Iterator[Finding]:
    found = [text for text in texts(resolver, domain) if text.lower().split(" ")[0] == "v=spf1"]
    if not found:
        remedy = f"publish a TXT record at {domain}: v=spf1 … -all, with the servers that send for you"
        yield warning("spf", None, f"{domain} has no SPF record", remedy)
    elif len(found) > 1:
        yield error("spf", None, f"{domain} has {len(found)} SPF records, so none counts", "join them into one")
    elif {"+all", "all"} & set(found[0].lower().split()):
        yield error("spf", None, f"SPF of {domain} lets everyone send for it (+all)", "end the record with -all")


def _dkim(key: Key, resolver: Resolver | None) -> Iterator[Finding]:
    published = [record for record in map(tags, texts(resolver, key.name)) if "p" in record]
    if not published:
        yield error(
            "dkim", None, f"there is no DKIM key at {key.name}", f"publish TXT “v=DKIM1; p={key.record}” there"
        )
    elif key.record not in {record["p"] for record in published}:
        told = f"the DKIM key at {key.name} is another than the one messages are signed with"
        if not any(record["p"] for record in published):
            told = f"the DKIM key at {key.name} is revoked (p= is empty)"
        yield error("dkim", None, told, f"publish “p={key.record}” there, or sign with the key that is published")


def _dmarc(domain: str, keys: Sequence[Key], resolver: Resolver | None) -> Iterator[Finding]:
    place, found = _dmarc_records(domain, resolver)
    if not found:
        remedy = f"publish TXT “v=DMARC1; p=none; rua=mailto:…” at _dmarc.{domain}"
        yield warning("dmarc", None, f"{domain} has no DMARC record", remedy)
    elif len(found) > 1:
        yield error("dmarc", None, f"{place} has {len(found)} DMARC records, so none counts", "keep one of them")
    elif tags(found[0]).get("adkim") == "s" and keys and all(key.domain != domain for key in keys):
        told = f"DMARC of {domain} wants DKIM keys of that very domain (adkim=s); those of the settings are not"
        yield error("dmarc", None, told, "sign with a key of that domain, or publish adkim=r")


def _dmarc_records(domain: str, resolver: Resolver | None) -> tuple[str, list[str]]:
    """The records of the domain, or else of the nearest one above it that has any."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        place = ".".join(("_dmarc", *labels[start:]))
        found = [text for text in texts(resolver, place) if text.replace(" ", "").lower().startswith("v=dmarc1")]
        if found:
            return place, found
    return f"_dmarc.{domain}", []
