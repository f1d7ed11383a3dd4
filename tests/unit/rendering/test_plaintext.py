from __future__ import annotations

import re

import pytest

from newsletter.rendering.content import Content
from newsletter.rendering.issue_file import read_issue
from newsletter.resources import SAMPLE_ISSUE
from tests.unit.rendering.reading import BASE_URL, MASTHEAD, letter, merged


@pytest.fixture(scope="module")
def sample() -> Content:
    return read_issue(SAMPLE_ISSUE).compile(MASTHEAD, BASE_URL)


def plain(content: Content) -> str:
    """The text for a reader without a name, its no-break spaces as others."""
    return merged(content).text.replace("\u00a0", " ").replace("\u202f", " ")


def test_the_sample_opens_like_a_letter(sample: Content) -> None:
    assert plain(sample).startswith(
        "L’Hebdo - N° 56 - vendredi 13 mars 2026\n"
        "\n"
        "Kazakhstan : deux jours avant le référendum\n"
        "===========================================\n"
        "\n"
        "Par Kadir Duran\n"
        "\n"
        "Bonjour à vous, dimanche, "
    )


def test_the_sample_ends_with_who_wrote_and_how_to_leave(sample: Content) -> None:
    assert plain(sample).endswith(
        f"\n\n{'-' * 72}\n\n"
        "L’Hebdo\n"
        "rue Haute 1\n"
        "1000 Bruxelles\n"
        "\n"
        "Vous recevez ce message parce que vous y êtes abonné.\n"
        "Lire dans le navigateur : https://lettres.example.org/v/LEFT\n"
        "Vos préférences : https://lettres.example.org/preferences/LEFT\n"
        "Se désabonner : https://lettres.example.org/u/LEFT\n"
    )


def test_no_line_of_the_sample_is_too_wide_but_for_addresses(sample: Content) -> None:
    wide = [line for line in merged(sample, first_name="Zoé").text.split("\n") if len(line) > 72]
    assert [line for line in wide if "https://" not in line] == []


def test_the_sample_has_a_list_a_quotation_a_button_and_a_box(sample: Content) -> None:
    text = plain(sample)
    for shape in (
        "\n\n- Qui ? Les citoyens kazakhs établis",
        "\n- Où ? À l’ambassade",
        "\n1. la finance, puisque",
        "\n   premières d’Europe ;\n2. l’investissement",
        "\n\n-> Consulter le portail officiel kazakh [2]\n\n",
        "\n\n> Une Constitution s’écrit entre juristes",
        "\n>\n> — La rédaction\n\n",
        "\n\nSport : le tatami et l’échiquier\n--------------------------------\n\n",
        "\n\nJudo : deux médailles en Autriche\n~~~~",
        "\n\n[Image : Une fusée blanche",
        "\n|\n| - Spoutnik 1, premier satellite",
    ):
        assert shape in text


def test_every_link_of_the_html_is_in_the_text_and_listed_once(sample: Content) -> None:
    read = merged(sample)
    # Link 0 is for no reader's eyes.
    counted = re.findall(r'href="(https://lettres\.example\.org/c/[^"]*/[1-9]\d*)"', read.html)
    listed = re.findall(r"^\[(\d+)\] (https://lettres\.example\.org/c/\S*)$", read.text, re.MULTILINE)
    assert len(sample.links) == len(set(counted)) == len(listed)
    assert {url for _, url in listed} == set(counted)
    numbers = [int(number) for number, _ in listed]
    assert numbers == sorted(set(numbers))
    for number, _ in listed:
        assert len(re.findall(rf"\[{number}\]", read.text)) >= 2


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("One\ntwo.\n\nThree  \nfour.", "One two.\n\nThree\nfour."),
        ("*a* **b** ~~c~~ `d` \\*e\\* &amp; &eacute;", "a b c d *e* & é"),
        ("# One\n\n## Two\n\n### Three\n\n#### Four", "One\n---\n\nTwo\n---\n\nThree\n~~~~~\n\nFour"),
        ("- a\n- b\n\n  c\n- d", "- a\n- b\n  c\n- d"),
        ("1. a\n2. b\n   - c\n     1. d", "1. a\n2. b\n   - c\n     1. d"),
        ("-\n- b", "-\n- b"),
        ("9. a\n10. b\n    c", "9. a\n10. b c"),
        ("> a\n> > b\n>\n> c", "> a\n>\n> > b\n>\n> c"),
        ("> - a\n>   - b", "> - a\n>   - b"),
        ("::: callout Title\na\n\n- b\n:::", "| TITLE\n|\n| a\n|\n| - b"),
        ("::: callout\na\n:::", "| a"),
        ("```\na  b\n\n  c\n```", "    a  b\n\n      c"),
        ("- a\n\n  ```\n  b\n  ```", "- a\n      b"),
        ("- ```\n  a\n  b\n  ```", "-     a\n      b"),
        ("| a | b |\n|---|---|\n| c *d* | e |", "a | b\nc d | e"),
        ("a\n\n---\n\nb", "a\n\n                                 * * *\n\nb"),
        ("![a](a.png)", "[Image\N{NO-BREAK SPACE}: a]"),
        ('![](a.png "The caption")', "[Image] The caption"),
        ("::: button\n[Go](mailto:a@e.org?subject=b)\n:::", "-> Go <a@e.org>"),
        ("[a](mailto:a@e.org) [b](#top) <c@e.org>", "a <a@e.org> b c@e.org"),
        ("a\u00a0: b\u202f!", "a\u00a0: b\u202f!"),
    ],
)
def test_each_shape_is_readable(markdown: str, text: str) -> None:
    assert letter(markdown).words == text


def test_links_are_numbered_once_and_listed_after_their_section() -> None:
    read = letter(
        "[a](https://e.org/a) [b](https://e.org/b) [a](https://e.org/a)\n\n## Next\n\n"
        "> [b](https://e.org/b) [c](https://e.org/c)\n\n::: button\n[a](https://e.org/a)\n:::\n"
    )
    assert read.words == (
        "a [1] b [2] a [1]\n\n"
        f"[1] {BASE_URL}/c/CLICKED/1\n[2] {BASE_URL}/c/CLICKED/2\n\n"
        "Next\n----\n\n"
        "> b [2] c [3]\n\n-> a [1]\n\n"
        f"[3] {BASE_URL}/c/CLICKED/3"
    )
    assert read.links == ("https://e.org/a", "https://e.org/b", "https://e.org/c")


def test_words_are_wrapped_and_addresses_are_not_cut() -> None:
    url = "https://e.org/" + "a-b" * 40
    read = letter(f"{'word ' * 40}{url} {'word ' * 40}\n\n> {'word ' * 40}\n")
    lines = read.words.split("\n")
    assert url in lines
    assert max(len(line) for line in lines if line != url) <= 72


@pytest.mark.parametrize("shape", ["{}", "## {}", "- {}", "> {}", "::: callout {}\nb\n:::", "![{}](a.png)"])
def test_every_shape_is_wrapped(shape: str) -> None:
    words = letter(shape.format("word " * 40)).words
    assert max(map(len, words.split("\n"))) <= 72
    assert words.lower().count("word") == 40


def test_a_long_title_is_wrapped_over_a_rule_of_its_width() -> None:
    head = f"---\ntitle: {'word ' * 20}\n---\n"
    lines = letter("x", head).text.split("\n")
    assert max(map(len, lines)) <= 72
    assert "=" * max(len(line) for line in lines if line.startswith("word")) in lines


def test_a_no_break_space_keeps_its_words_on_one_line() -> None:
    assert "\n!" not in letter("mot " * 17 + "motif\u00a0! " * 10).words


def test_a_merge_tag_counts_as_a_name_of_usual_length() -> None:
    words = "Bonjour {{ subscriber.first_name }}, " + "quatre " * 20
    first = letter(words, first_name="Odette").text.split("Bonjour")[1].split("\n")[0]
    assert 66 <= len(f"Bonjour{first}") <= 72


@pytest.mark.parametrize(("language", "image"), [("fr", "[Image\N{NO-BREAK SPACE}: a]"), ("en", "[Image: a]")])
def test_a_colon_is_written_as_the_language_does(language: str, image: str) -> None:
    text = letter("![a](https://e.org/a.png)\n", f"---\ntitle: T\nlanguage: {language}\n---\n").text
    assert image in text
    assert image[len("[Image") : -2] + f"{BASE_URL}/u/LEFT" in text


def test_an_address_that_begins_with_the_publication_s_name_says_it_once() -> None:
    assert "\n\nL’Hebdo\nrue Haute 1\n1000 Bruxelles\n\n" in letter("Un.\n").text
