"""Tags of languages."""

from __future__ import annotations

import pytest

from newsletter.errors import InputError
from newsletter.languages import language_tag


@pytest.mark.parametrize(
    ("said", "tag"),
    [("FR", "fr"), ("zh_hant_tw", "zh-Hant-TW"), ("es-419", "es-419"), ("de-CH-1996", "de-CH-1996"), ("kk", "kk")],
)
def test_a_language_is_kept_in_its_usual_case(said: str, tag: str) -> None:
    assert language_tag(said) == tag


@pytest.mark.parametrize("said", ["french", "f", "fr-", "fr--BE", "fr BE", "12", "fr-" + "abcdefgh-" * 4 + "x", ""])
def test_what_has_not_the_shape_of_a_language_tag_is_none(said: str) -> None:
    with pytest.raises(InputError, match="is not a language tag"):
        language_tag(said)
