from __future__ import annotations

import pytest

from newsletter.mail.suspects import DISPOSABLE_DOMAINS, PROVIDERS, REAL_DOMAINS, Doubt, suspect


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmal.com", "ada@gmail.com"),
        ("ada@gmaill.com", "ada@gmail.com"),
        ("ada@gmail.con", "ada@gmail.com"),
        ("ada@hotmial.fr", "ada@hotmail.fr"),
        ("ada@outlok.com", "ada@outlook.com"),
        ("ada@yahooo.fr", "ada@yahoo.fr"),
        ("ada@orange.rf", "ada@orange.fr"),
    ],
)
def test_a_domain_a_slip_away_from_a_provider_s_comes_with_what_was_meant(typed: str, meant: str) -> None:
    found = suspect(typed)
    assert found is not None
    assert (found.doubt, found.suggestion) == (Doubt.TYPO, meant)
    assert meant in found.words


@pytest.mark.parametrize("domain", sorted({*PROVIDERS, *REAL_DOMAINS, "example.org", "gmx.ch"}))
def test_a_provider_is_never_taken_for_a_slip(domain: str) -> None:
    assert suspect(f"ada.king@{domain}") is None


@pytest.mark.parametrize("domain", sorted(DISPOSABLE_DOMAINS))
def test_addresses_that_are_thrown_away_are_told(domain: str) -> None:
    found = suspect(f"ada.king@{domain}")
    assert found is not None
    assert found.doubt is Doubt.DISPOSABLE


@pytest.mark.parametrize("local", ["info", "Postmaster", "no-reply", "redaction"])
def test_addresses_of_teams_are_told(local: str) -> None:
    found = suspect(f"{local}@example.org")
    assert found is not None
    assert found.doubt is Doubt.ROLE
