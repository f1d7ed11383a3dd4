from __future__ import annotations

import re

import pytest

from newsletter.errors import InputError
from newsletter.rendering.mjml import MAX_DEPTH, to_html
from tests.unit.rendering.reading import elements, letter

FRAME = "<mjml><mj-body><mj-section><mj-column>\n{}\n</mj-column></mj-section></mj-body></mjml>"


def compiled(inner: str) -> str:
    return to_html(FRAME.format(inner), "theme x")


def test_mjml_becomes_html() -> None:
    assert "Hello &amp; <b>you</b>" in compiled("<mj-text>Hello &amp; <b>you</b></mj-text>")


def test_an_include_is_refused_with_its_line() -> None:
    with pytest.raises(InputError, match=r"^theme x: line 3 of the MJML: mj-include is not supported"):
        compiled('<mj-text>a</mj-text>\n<mj-include path="/etc/passwd" />')


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 16_000])
def test_deep_nesting_is_refused_before_the_compiler_is_called(depth: int) -> None:
    with pytest.raises(InputError, match=r"^theme x: line 3 of the MJML: elements are nested more than 200 deep"):
        compiled("<mj-text>a</mj-text>\n<mj-text>" + "<div>" * depth + "</div>" * depth + "</mj-text>")


@pytest.mark.parametrize("void", ["<br>", "<br />", '<img src="a.png">', "<hr>", '<img alt="/" />'])
def test_void_elements_do_not_count(void: str) -> None:
    assert compiled(f"<mj-text>{void * 1000}</mj-text>").count(void[:3]) >= 1000


def test_elements_one_after_the_other_do_not_count() -> None:
    assert compiled("<mj-text>" + "<b>a</b>" * 1000 + "</mj-text>").count("<b>") == 1000


@pytest.mark.parametrize("character", ["\u00a0", "\u202f", "\\", "é", "’", "\u2028", "🎉", "\u200b", "\ufeff"])
def test_any_character_in_an_attribute_arrives_intact(character: str) -> None:
    html = compiled(f'<mj-image src="a.png" alt="a{character}b" />\n<mj-button href="/a{character}b">c</mj-button>')
    found = elements(html)
    assert f"a{character}b" in [element.attributes.get("alt") for element in found]
    assert f"/a{character}b" in [element.attributes.get("href") for element in found]


@pytest.mark.parametrize("character", ["\u00a0", "\\", "é", "🎉"])
def test_any_character_in_the_text_arrives_intact(character: str) -> None:
    assert f"a{character}b" in compiled(f"<mj-text>a{character}b</mj-text>")


@pytest.mark.parametrize("inner", ["<mj-text>", "</mj-text>", "<mj-text a=>x</mj-text>", "<"])
def test_malformed_mjml_is_an_error_that_names_the_theme(inner: str) -> None:
    with pytest.raises(InputError, match=r"^theme x: the MJML does not compile: "):
        compiled(inner)


def test_no_font_is_fetched_from_anyone() -> None:
    html = compiled('<mj-text font-family="Roboto, Open Sans, Lato">a</mj-text>')
    assert not re.search(r"https?://(?!www\.w3\.org)", html)


def test_odd_characters_in_an_issue_arrive_intact() -> None:
    read = letter('![a\u00a0: \\\\ "b" <c> & d](a.png)\n\n::: button\n[e\u00a0? \\\\ <f> &](https://e.org)\n:::\n')
    assert 'a\u00a0: \\ "b" <c> & d' in [element.attributes.get("alt") for element in elements(read.html)]
    assert re.search(r"e(\u00a0|&nbsp;)\? \\ &lt;f&gt; &amp;</a>", read.html)
