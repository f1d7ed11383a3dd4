from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.mail.addresses import domain_of, for_wire, needs_smtputf8, normalise


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("ada@example.org", "ada@example.org"),
        ("  ada@example.org\t", "ada@example.org"),
        ("\u00a0ada@example.org\r\n", "ada@example.org"),
        ("Ada@EXAMPLE.Org", "Ada@example.org"),
        ("ada+news@example.org", "ada+news@example.org"),
        ("o'hara@example.org", "o'hara@example.org"),
        ("ada@exämple.org", "ada@exämple.org"),
        ("ada@EXÄMPLE.org", "ada@exämple.org"),
        ("ada@xn--exmple-cua.org", "ada@exämple.org"),
        (unicodedata.normalize("NFD", "zoé@exämple.org"), "zoé@exämple.org"),
    ],
)
def test_an_address_has_one_form(typed: str, stored: str) -> None:
    assert normalise(typed) == stored
    assert normalise(stored) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "  ",
        "ada",
        "ada@",
        "@example.org",
        "ada@example",
        "ada@@example.org",
        "ada@example..org",
        ".ada@example.org",
        "ada.@example.org",
        "ada b@example.org",
        "ada@exam ple.org",
        "Ada <ada@example.org>",
        "ada@example.org, bob@example.org",
        "ada@[127.0.0.1]",
        '"ada b"@example.org',
        "ada@localhost",
        "ada\nBcc: all@example.org",
        "ada\r\n@example.org",
        "ada\x00@example.org",
        "ada@-example.org",
        "ada@" + "a" * 64 + ".org",
        "ada@" + "a.b" * 100 + ".org",
        "x" * 5000,
    ],
)
def test_what_is_no_address_is_refused_in_one_line(typed: str) -> None:
    with pytest.raises(InputError) as caught:
        normalise(typed)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert len(message) < 300
    assert message == "the address is empty" or "is not an email address: " in message


@pytest.mark.parametrize(
    ("address", "on_the_wire"),
    [
        ("ada@example.org", "ada@example.org"),
        ("ada@exämple.org", "ada@xn--exmple-cua.org"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("ada@例え.jp", "ada@xn--r8jz45g.jp"),
        ("zoé@exämple.org", "zoé@xn--exmple-cua.org"),
    ],
)
def test_a_domain_goes_over_the_wire_in_ascii(address: str, on_the_wire: str) -> None:
    assert for_wire(address) == on_the_wire
    assert normalise(on_the_wire) == address


def test_a_domain_that_cannot_be_written_in_ascii_is_refused() -> None:
    with pytest.raises(InputError, match=r"^the domain of “ada@é‿\.org” cannot be written in ASCII"):
        for_wire("ada@é‿.org")


@pytest.mark.parametrize(("address", "needed"), [("ada@exämple.org", False), ("zoé@example.org", True)])
def test_only_a_local_part_beyond_ascii_needs_smtputf8(address: str, needed: bool) -> None:
    assert needs_smtputf8(address) == needed


def test_the_domain_is_what_follows_the_at_sign() -> None:
    assert domain_of("ada@exämple.org") == "exämple.org"


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_normalised_for_good_or_refused(typed: str) -> None:
    try:
        stored = normalise(typed)
    except InputError as error:
        told = len(str(error).splitlines())
    else:
        assert normalise(stored) == stored
        assert for_wire(stored).rpartition("@")[2].isascii()
        told = 1
    assert told == 1
