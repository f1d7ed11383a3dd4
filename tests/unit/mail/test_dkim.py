from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from dkim.canonicalization import Relaxed
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigError
from newsletter.mail.dkim import DkimSigner, load_key, relaxed
from tests.judges import dkim_key, signature_holds

SECOND = 1_773_385_200
FROM = b"From: L'Hebdo <redaction@hebdo.example>\r\n"
SUBJECT = b"Subject: =?utf-8?B?w4l0w6k=?= a\r\n  subject \twith   spaces\r\n"
PRECEDENCE = b"Precedence: bulk\r\n"
FIXED = (
    FROM,
    PRECEDENCE,
    b'Content-Type: multipart/alternative;\r\n boundary="part-1"\r\n',
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
)
VARYING = (SUBJECT, "To: zoé@hebdo.example\r\n".encode(), b"Message-ID:\r\n <token@hebdo.example>\r\n")
START = b"--part-1\r\n\r\nThe same for all,=\r\n"
BODY = START + b"Ada: =C3=A9=\r\n\r\n.=2E a b\r\n--part-1--\r\n"
KINDS = ("rsa", "ed25519")
PLACE = "/run/secrets/dkim.pem"
PLAIN = NoEncryption()


def signed(*kinds: str) -> bytes:
    names = [one.partition(b":")[0].decode() for one in VARYING]
    signer = DkimSigner([dkim_key(kind, "hebdo.example") for kind in kinds], FIXED, names, START)
    return b"".join((signer.sign(VARYING, BODY, SECOND), *FIXED, *VARYING, b"\r\n", BODY))


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_holds(kind: str) -> None:
    assert signature_holds(signed(kind))


def test_each_of_two_signatures_holds() -> None:
    message = signed(*KINDS)
    assert re.findall(rb"s=(\w+);", message) == [b"rsa", b"ed25519"]
    assert signature_holds(message, 0)
    assert signature_holds(message, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_any_changed_byte_breaks_a_signature_but_for_those_of_a_field_that_is_not_signed(kind: str) -> None:
    message = signed(kind)
    unsigned = range(message.index(PRECEDENCE), message.index(PRECEDENCE) + len(PRECEDENCE))
    for place in range(message.index(FROM), len(message)):
        # The judge takes other ends of lines for the same.
        if place not in unsigned and message[place] not in b"\r\n":
            changed = message[:place] + bytes([message[place] ^ 1]) + message[place + 1 :]
            assert not signature_holds(changed), message[place:]
    assert signature_holds(message.replace(PRECEDENCE, b"Precedence: list\r\n"))


@pytest.mark.parametrize("added", [b"From: eve@example.org\r\n", b"Subject: Another\r\n"])
def test_a_second_sender_or_subject_breaks_a_signature(added: bytes) -> None:
    message = signed("ed25519")
    assert not signature_holds(added + message)
    assert not signature_holds(message.replace(FROM, FROM + added))


def test_a_relay_may_fold_anew_write_names_its_way_and_lose_or_add_white_space_at_the_end() -> None:
    relayed = (
        signed("ed25519")
        .replace(SUBJECT, b"SUBJECT:\r\n\t=?utf-8?B?w4l0w6k=?=\r\n a subject with spaces  \r\n")
        .replace(b"a b\r\n", b"a\tb \t\r\n")
        + b"\r\n\r\n"
    )
    assert signature_holds(relayed)


def test_a_signature_says_when_it_was_made_and_covers_the_whole_body() -> None:
    field, _, _ = signed("rsa").partition(b"From:")
    tags = dict(tag.strip().split(b"=", 1) for tag in field.partition(b":")[2].split(b";"))
    assert tags[b"t"] == str(SECOND).encode()
    assert tags[b"c"] == b"relaxed/relaxed"
    assert tags[b"d"] == b"hebdo.example"
    assert b"l" not in tags
    assert max(map(len, field.split(b"\r\n"))) <= 78


@settings(deadline=None)
@given(st.text("Ab1-", min_size=1, max_size=9), st.text("a \t:=é", max_size=60), st.integers(0, 60))
def test_the_relaxed_form_of_a_field_is_the_one_that_others_make(name: str, value: str, fold: int) -> None:
    folded = (value[:fold] + "\r\n " + value[fold:] if fold < len(value) else value).encode()
    [(other_name, other_value)] = Relaxed.canonicalize_headers([(name.encode(), folded + b"\r\n")])
    assert relaxed(name.encode() + b":" + folded + b"\r\n") == other_name + b":" + other_value


def pem(key: PrivateKeyTypes, encryption: KeySerializationEncryption = PLAIN) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_is_read_from_pem(kind: str) -> None:
    key = dkim_key(kind, "hebdo.example")
    read = load_key("Hebdo.example", kind, pem(key.private_key), PLACE)
    assert (read.domain, read.selector, read.algorithm) == ("hebdo.example", kind, f"{kind}-sha256")
    digest = bytes(32)
    assert read.sign(digest) == key.sign(digest)


def test_a_domain_may_be_written_in_any_script() -> None:
    key = pem(dkim_key("ed25519", "hebdo.example").private_key)
    assert load_key("hébdo.example", "s.2026-a", key, PLACE).domain == "xn--hbdo-bpa.example"


@pytest.mark.parametrize(
    "domain", ["", "-a.example", "a..example", "a.example;s=x", "a b", "é..example", "é b.example"]
)
def test_what_is_no_domain_is_refused(domain: str) -> None:
    key = pem(dkim_key("ed25519", "hebdo.example").private_key)
    with pytest.raises(ConfigError, match=r"^/run/secrets/dkim\.pem: .*domain"):
        load_key(domain, "s", key, PLACE)


@pytest.mark.parametrize("selector", ["", "a_b", "é", "a.", "a\r\nBcc: b", "a" * 64])
def test_what_is_no_selector_is_refused(selector: str) -> None:
    key = pem(dkim_key("ed25519", "hebdo.example").private_key)
    with pytest.raises(ConfigError, match=r"^/run/secrets/dkim\.pem: .* is no selector") as caught:
        load_key("hebdo.example", selector, key, PLACE)
    assert len(str(caught.value).splitlines()) == 1


def short_rsa_key() -> bytes:
    """A key of 648 bits, of two primes that everyone knows: the library makes none below 1024."""
    p, q = 2**521 - 1, 2**127 - 1
    d = pow(65537, -1, (p - 1) * (q - 1))
    remainders = rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q)
    return pem(rsa.RSAPrivateNumbers(p, q, d, *remainders, rsa.RSAPublicNumbers(65537, p * q)).private_key())


ED25519_KEY = Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (short_rsa_key(), "an RSA key of 648 bits is refused; make one of 2048"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "RSA and Ed25519 keys only, not ECPrivateKey"),
        (pem(ed448.Ed448PrivateKey.generate()), "RSA and Ed25519 keys only, not Ed448PrivateKey"),
        (pem(ED25519_KEY, BestAvailableEncryption(b"word")), "the key has a passphrase"),
        (ED25519_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "the public half"),
        (b"", "no private key in PEM"),
        (b"\xff\xfe\x00", "no private key in PEM"),
        (b"MC4CAQAwBQYDK2VwBCIEIA==", "no private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no private key in PEM"),
    ],
)
def test_what_is_no_key_for_dkim_is_refused_in_one_line_that_names_the_place(key: bytes, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load_key("hebdo.example", "s", key, PLACE)
    assert str(caught.value).startswith(f"{PLACE}: ")
    assert len(str(caught.value).splitlines()) == 1


def test_a_private_key_is_not_shown() -> None:
    assert repr(dkim_key("rsa", "hebdo.example")) == "DkimKey(domain='hebdo.example', selector='rsa')"
