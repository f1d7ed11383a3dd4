from __future__ import annotations

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.rendering.typography import typeset
from tests.unit.rendering.reading import letter

_ = "\u00a0"


@pytest.mark.parametrize(
    ("typed", "language", "set_"),
    [
        ('He said "yes".', "en", "He said “yes”."),
        ("\"She said 'no'.\"", "en-GB", "“She said ‘no’.”"),
        ("don't, the '90s, readers'", "en", "don’t, the ’90s, readers’"),
        ('12" wide', "en", '12" wide'),
        ('"open', "en", '"open'),
        ('("a")', "en", "(“a”)"),
        ('"a" "b"', "en", "“a” “b”"),
        ("a -- b --- c", "en", "a – b — c"),
        ("1990--1995...", "en", "1990–1995…"),
        ("--option -- ----", "en", "--option – ----"),
        ("....", "en", "...."),
        ('Il dit "oui".', "fr", f"Il dit «{_}oui{_}»."),
        ("\"Il dit 'oui'.\"", "fr-BE", f"«{_}Il dit “oui”.{_}»"),
        ("l'été d'\"ici\"", "fr", f"l’été d’«{_}ici{_}»"),
        ('Er sagt "ja".', "de", "Er sagt „ja“."),
        ('"ja"', "de-CH", "«ja»"),
        ('"si"', "es", "«si»"),
        ('"tak"', "pl", "„tak”"),
        ('"ja"', "sv", "”ja”"),
        ('"да"', "ru", "«да»"),
        ('"yes"', "", "“yes”"),
    ],
)
def test_quotation_marks_and_dashes_follow_the_language(typed: str, language: str, set_: str) -> None:
    assert typeset(typed, language) == set_


@pytest.mark.parametrize(
    ("typed", "set_"),
    [
        ("Vraiment ?", f"Vraiment{_}?"),
        ("Vraiment? Oui! Ceci: cela; voilà", f"Vraiment{_}? Oui{_}! Ceci{_}: cela{_}; voilà"),
        ("Quoi ?!", f"Quoi{_}?!"),
        ("« ici »", f"«{_}ici{_}»"),
        ("«ici»", f"«{_}ici{_}»"),
        ('"Quoi?" (Oui!)', f"«{_}Quoi{_}?{_}» (Oui{_}!)"),
        ("a\u202f! b\u00a0?", "a\u202f! b\u00a0?"),
        (
            "à 12:30, ratio 3:2, https://e.org/a?b=c; www.e.org/a?b !",
            f"à 12:30, ratio 3:2, https://e.org/a?b=c; www.e.org/a?b{_}!",
        ),
        (":-) ?", f":-){_}?"),
    ],
)
def test_french_has_its_no_break_spaces(typed: str, set_: str) -> None:
    assert typeset(typed, "fr") == set_
    assert typeset(set_, "fr") == set_


def test_other_languages_have_no_space_before_a_question_mark() -> None:
    assert typeset("Vraiment? Oui !", "en") == "Vraiment? Oui !"


def test_marks_are_set_across_elements_and_beside_merge_tags() -> None:
    read = letter('Il dit "*oui*" ? **Non**! {{ subscriber.name }}! "{{ subscriber.name }}"', name="Zoé")
    assert read.words == f"Il dit «{_}oui{_}»{_}? Non{_}! Zoé{_}! «{_}Zoé{_}»"


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ('`a -- "b" ?`', '"b" ?'),
        ('```\n"a" ?\n```', '"a" ?'),
        ("{{ subscriber.ville | default(\"l'été -- 'x' ?\") }}", "l'été -- 'x' ?"),
        ("<https://e.org/a--b>", "/a--b"),
        ("https://e.org/a--b'c", "https://e.org/a--b'c"),
    ],
)
def test_code_addresses_and_merge_tags_stay_as_typed(body: str, kept: str) -> None:
    read = letter(body)
    assert kept in read.text if "<https" not in body else read.links == ("https://e.org/a--b",)


def test_titles_labels_and_captions_are_set_too() -> None:
    head = "---\ntitle: Quoi ?\npreheader: \"Il dit 'oui'\"\nsubject: Vraiment ?\n---\n"
    read = letter(
        "::: callout Le saviez-vous ?\nx\n:::\n\n::: button\n[On y va ?](https://e.org)\n:::\n\n"
        '![Où ?](a.png "Ici !")\n',
        head,
    )
    assert read.subject == f"Vraiment{_}?"
    for set_ in (f"Quoi{_}?", "Il dit “oui”", f"Le saviez-vous{_}?", f"On y va{_}?", f"Où{_}?", f"Ici{_}!"):
        assert set_ in unescape(read.html)


def test_an_issue_can_be_set_in_two_languages() -> None:
    assert letter('"a" ?', "---\ntitle: T\nlanguage: en\n---\n").words == "“a” ?"
    assert letter('"a" ?').words == f"«{_}a{_}»{_}?"


@given(st.text(alphabet="ab \"'«»?!:;-.()\u00a0\n1", max_size=40), st.sampled_from(["fr", "en", "de", "sv"]))
def test_only_marks_and_spaces_are_ever_changed(text: str, language: str) -> None:
    def letters(value: str) -> str:
        return "".join(character for character in value if character.isalnum())

    assert letters(typeset(text, language)) == letters(text)
