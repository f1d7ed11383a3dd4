from __future__ import annotations

import unicodedata

import pytest
from email_validator import validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.mail.addresses import _ordinary, domain_of, for_wire, needs_smtputf8, normalise, shown_domain


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


@pytest.mark.parametrize(
    ("address", "domain"), [("ada@example.org", "example.org"), ("ada@exämple.org", "xn--exmple-cua.org")]
)
def test_the_domain_is_told_in_ascii_and_shown_as_the_address_has_it(address: str, domain: str) -> None:
    assert domain_of(address) == domain
    assert f"ada@{shown_domain(domain)}" == address


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


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("mailto:ada@example.org", "ada@example.org"),
        ("MailTo: ada@example.org", "ada@example.org"),
        ("ada@example.org.", "ada@example.org"),
        ("ada@EXÄMPLE.org..", "ada@exämple.org"),
        ("\u200bada@example.org\ufeff", "ada@example.org"),
        ("INFO@Example.org", "info@example.org"),
    ],
)
def test_what_copying_leaves_around_an_address_is_taken_off(typed: str, stored: str) -> None:
    assert normalise(typed) == stored


ATOMS = st.text(alphabet="aZ09_!#$%&'*+-/=?^`{|}~.", min_size=1, max_size=70)
LABELS = st.text(alphabet="aZx09-n", min_size=1, max_size=66)
ENDINGS = st.sampled_from(
    ["org", "COM", "test", "local", "Arpa", "onion", "invalid", "x", "c0m", "localhost", "co.uk"]
)
LOCALS = st.one_of(ATOMS, st.sampled_from(["Info", "POSTMASTER", "www", "Ada.King", "a" * 64, "a" * 65]))
ORDINARY = st.builds(
    lambda local, labels, ending: f"{local}@{'.'.join([*labels, ending])}",
    LOCALS,
    st.lists(LABELS, min_size=0, max_size=5),
    ENDINGS,
)


@settings(deadline=None, max_examples=1000)
@given(ORDINARY | st.text(alphabet="aZ9.-@_+ \n", max_size=40) | st.emails())
def test_the_fast_path_for_ordinary_addresses_says_what_the_library_says(typed: str) -> None:
    found = _ordinary(typed)
    if found is not None:
        assert found == validate_email(typed, check_deliverability=False, allow_domain_literal=False).normalized


@settings(deadline=None)
@given(st.from_regex(r"[a-z]{1,20}(\.[a-z0-9]{1,10})?@[a-z0-9]{1,20}\.(org|com|fr|example)", fullmatch=True))
def test_nearly_every_address_takes_the_fast_path(typed: str) -> None:
    assert typed.partition("@")[0] in CASE_INSENSITIVE_MAILBOX_NAMES or _ordinary(typed) == typed
