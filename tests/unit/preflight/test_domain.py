"""The sender's domain, asked of a real name server on loopback."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from newsletter.mail.dkim import DkimKey
from newsletter.preflight.domain import Key, look_at_domain
from newsletter.preflight.finding import Finding, Looked, Severity
from newsletter.preflight.run import look_at_sender
from tests.unit.preflight.name_server import FAILURE, SILENCE, Records, name_server

DOMAIN = "lettres.hebdo.be"
KEY = Key(DOMAIN, "s2026", "MCowBQYDK2VwAyEA")
GOOD: Records = {
    DOMAIN: ["v=spf1 include:_spf.hebdo.be -all", "site-verification=1"],
    f"s2026._domainkey.{DOMAIN}": ["v=DKIM1; k=ed25519; p=MCowBQYDK2VwAyEA"],
    f"_dmarc.{DOMAIN}": ["v=DMARC1; p=reject"],
}


def look(changes: Records, *keys: Key) -> Looked:
    with name_server({**GOOD, **changes}) as (_, resolver):
        return look_at_domain(DOMAIN, keys or (KEY,), resolver)


def only(looked: Looked) -> Finding:
    assert looked.unseen == []
    [finding] = looked.findings
    return finding


def test_a_domain_with_all_its_records_is_left_alone() -> None:
    assert look({}) == Looked()


@pytest.mark.parametrize(
    ("records", "severity", "words"),
    [
        ([], Severity.WARNING, "has no SPF record"),
        (["v=spf10 -all"], Severity.WARNING, "has no SPF record"),
        (["v=spf1 -all", "v=spf1 mx -all"], Severity.ERROR, "has 2 SPF records"),
        (["v=spf1 +all"], Severity.ERROR, "lets everyone send for it"),
        (["v=spf1 mx all"], Severity.ERROR, "lets everyone send for it"),
    ],
)
def test_spf_that_does_not_hold_is_told(records: list[str], severity: Severity, words: str) -> None:
    found = only(look({DOMAIN: records}))
    assert (found.code, found.severity) == ("spf", severity)
    assert words in found.message


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "there is no DKIM key at s2026._domainkey.lettres.hebdo.be"),
        (["v=DKIM1; p=AAAA"], "is another than the one messages are signed with"),
        (["v=DKIM1; p="], "is revoked"),
    ],
)
def test_a_key_that_receivers_cannot_check_is_told(records: list[str], words: str) -> None:
    found = only(look({f"s2026._domainkey.{DOMAIN}": records}))
    assert (found.code, found.severity) == ("dkim", Severity.ERROR)
    assert words in found.message
    assert f"p={KEY.record}" in found.remedy


def test_a_long_key_in_several_strings_is_read_as_one() -> None:
    key = Key(DOMAIN, "s2026", "A" * 392)
    assert look({key.name: [f"v=DKIM1; k=rsa; p={key.record}"]}, key) == Looked()


def test_messages_that_nobody_signs_are_told() -> None:
    with name_server(GOOD) as (_, resolver):
        found = only(look_at_domain(DOMAIN, (), resolver))
    assert (found.code, found.severity) == ("dkim-unsigned", Severity.WARNING)


def test_a_missing_or_doubled_dmarc_record_is_told() -> None:
    missing = only(look({f"_dmarc.{DOMAIN}": []}))
    assert (missing.code, missing.severity) == ("dmarc", Severity.WARNING)
    doubled = only(look({f"_dmarc.{DOMAIN}": ["v=DMARC1; p=none", "v=DMARC1; p=reject"]}))
    assert (doubled.code, doubled.severity) == ("dmarc", Severity.ERROR)


def test_dmarc_of_the_domain_above_counts() -> None:
    assert look({f"_dmarc.{DOMAIN}": [], "_dmarc.hebdo.be": ["v=DMARC1; p=none"]}) == Looked()


def test_keys_of_the_domain_above_align_unless_dmarc_is_strict() -> None:
    key = Key("hebdo.be", "s2026", KEY.record)
    above: Records = {key.name: [f"v=DKIM1; p={key.record}"]}
    assert look(above, key) == Looked()
    found = only(look({**above, f"_dmarc.{DOMAIN}": ["v=DMARC1; p=reject; adkim=s"]}, key))
    assert (found.code, found.severity) == ("dmarc", Severity.ERROR)
    assert "(adkim=s)" in found.message


@pytest.mark.parametrize("trouble", [FAILURE, SILENCE])
@pytest.mark.parametrize("name", GOOD)
def test_a_server_that_cannot_say_is_no_fault(trouble: str, name: str) -> None:
    looked = look({name: trouble})
    assert looked.findings == []
    assert len(looked.unseen) == 1
    assert looked.unseen[0].startswith(f"{name}: ")


def test_a_machine_without_a_name_server_finds_no_fault() -> None:
    looked = look_at_domain(DOMAIN, [KEY], None)
    assert looked.findings == []
    assert set(looked.unseen) == {"this machine has no name server"}


def test_a_name_is_asked_for_once() -> None:
    with name_server(GOOD) as (server, resolver):
        assert look_at_domain(DOMAIN, [KEY], resolver) == look_at_domain(DOMAIN, [KEY], resolver)
    assert sorted(server.asked) == sorted(GOOD)


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_what_is_published_is_the_public_half_of_the_key_that_signs(kind: str) -> None:
    private = ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else rsa.generate_private_key(65537, 2048)
    key = DkimKey(DOMAIN, "s2026", private)
    foreign = DkimKey("autre.be", "s2026", private)
    records = {**GOOD, f"s2026._domainkey.{DOMAIN}": [f"v=DKIM1; k={kind}; p={Key.of(key).record}"]}
    with name_server(records) as (server, resolver):
        assert look_at_sender(f"redaction@{DOMAIN}", [key, foreign], resolver) == Looked()
    assert not any("autre.be" in name for name in server.asked)


def test_spf_is_looked_up_where_bounces_go() -> None:
    with name_server({**GOOD, f"bounces.{DOMAIN}": ["v=spf1 +all"]}) as (_, resolver):
        found = only(look_at_domain(DOMAIN, (KEY,), resolver, f"bounces.{DOMAIN}"))
    assert (found.code, f"bounces.{DOMAIN}" in found.message) == ("spf", True)
