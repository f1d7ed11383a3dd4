from __future__ import annotations

import re
import tomllib

import pytest

from newsletter.resources import SAMPLE_ISSUE, TEMPLATES, words


def test_what_ships_with_the_package_is_found() -> None:
    assert SAMPLE_ISSUE.is_file()
    assert (TEMPLATES / "email" / "magazine" / "issue.mjml").is_file()


@pytest.mark.parametrize(
    ("language", "unsubscribe"),
    [
        ("en", "Unsubscribe"),
        ("en-GB", "Unsubscribe"),
        ("fr", "Se désabonner"),
        ("fr-BE", "Se désabonner"),
        ("FR", "Se désabonner"),
        ("kk", "Unsubscribe"),
        ("", "Unsubscribe"),
        ("../fr", "Unsubscribe"),
        ("fr/../en", "Unsubscribe"),
    ],
)
def test_a_reader_is_spoken_to_in_their_language_or_in_english(language: str, unsubscribe: str) -> None:
    assert words(language)["unsubscribe"] == unsubscribe


@pytest.mark.parametrize("path", sorted((TEMPLATES / "words").glob("*.toml")), ids=lambda path: path.stem)
def test_every_language_has_every_phrase(path: object) -> None:
    language = re.sub(r".*/|\.toml$", "", str(path))
    own = tomllib.loads((TEMPLATES / "words" / f"{language}.toml").read_text("utf-8"))
    assert own.keys() == words("en").keys()
    assert all(isinstance(phrase, str) and phrase.strip() for phrase in own.values())
