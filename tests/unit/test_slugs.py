from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import InputError
from newsletter.slugs import MAX_LENGTH, check_slug, slugify


@pytest.mark.parametrize("slug", ["a", "hebdo", "numero-56", "56", "a" * MAX_LENGTH])
def test_letters_digits_and_single_hyphens_are_a_slug(slug: str) -> None:
    check_slug(slug)


@pytest.mark.parametrize(
    "slug", ["", "-", "-a", "a-", "a--b", "A", "é", "a b", "a_b", "a/b", "../a", "a\n", "a" * (MAX_LENGTH + 1), "٣"]
)
def test_anything_else_is_refused_in_one_line(slug: str) -> None:
    with pytest.raises(InputError, match="use lower-case letters, digits and hyphens") as caught:
        check_slug(slug)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Numéro 56", "numero-56"),
        ("  L’Été, à Liège ! ", "l-ete-a-liege"),
        ("ﬁn", "fin"),
        ("Казахстан", ""),
        ("", ""),
        ("a" * 80, "a" * MAX_LENGTH),
        ("a" * (MAX_LENGTH - 1) + " b", "a" * (MAX_LENGTH - 1)),
    ],
)
def test_a_text_becomes_a_slug_that_resembles_it(text: str, slug: str) -> None:
    assert slugify(text) == slug


@settings(deadline=None)
@given(st.text(max_size=100))
def test_what_a_text_becomes_is_a_slug_or_nothing(text: str) -> None:
    slug = slugify(text)
    if slug:
        check_slug(slug)
    assert slugify(slug) == slug
