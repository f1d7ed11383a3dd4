"""What becomes of MJML of which mjml-python alone would make something else than npm's `mjml`."""

from __future__ import annotations

import re

import pytest

from newsletter.errors import SourceError
from newsletter.rendering.mjml import to_html

HERO = '<mj-hero height="240px" {}><mj-text>a</mj-text></mj-hero>'


def compiled(body: str, head: str = "") -> str:
    return to_html(f"<mjml><mj-head>{head}</mj-head><mj-body>\n{body}\n</mj-body></mjml>", "page")


def in_column(inner: str, head: str = "") -> str:
    return compiled(f"<mj-section><mj-column>{inner}</mj-column></mj-section>", head)


@pytest.mark.parametrize(
    ("padding", "height"),
    [
        ("", 240),
        ('padding="40px 0"', 160),
        ('padding="10px"', 220),
        ('padding="10px 0 30px"', 200),
        ('padding="10px 0 30px 0"', 200),
        ('padding="10px" padding-bottom="50px"', 180),
        ('padding-top="7px"', 233),
        ('vertical-align="middle" padding="40px 0"', 160),
    ],
)
def test_the_height_of_a_hero_counts_its_padding(padding: str, height: int) -> None:
    html = compiled(HERO.format(padding))
    assert f' height="{height}" ' in html
    assert f"height:{height}px;" in html


def test_a_padding_from_a_class_counts_too() -> None:
    head = '<mj-attributes><mj-class name="airy" padding="30px 0" /></mj-attributes>'
    assert "height:180px;" in compiled(HERO.format('mj-class="airy"'), head)


@pytest.mark.parametrize(
    ("attributes", "width"),
    [
        ('width="220"', 220),
        ('width="220px"', 220),
        ('padding="10px 0"', 300),
        ('padding-left="0" padding-right="0"', 300),
        ('padding="0 10px" padding-left="0"', 290),
    ],
)
def test_the_width_of_a_picture_counts_its_padding_and_may_do_without_a_unit(attributes: str, width: int) -> None:
    html = in_column(f'<mj-image src="a.png" alt="A" {attributes} /></mj-column><mj-column>')
    assert f' width="{width}"' in re.findall(r"<img[^>]*>", html)[0]


def test_the_gap_of_a_wrapper_stands_between_its_sections_in_its_own_colour() -> None:
    section = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"
    html = compiled(
        f'<mj-wrapper background-color="#ffe0e0" gap="13px">{section.format("one")}\n{section.format("two")}'
        f"{section.format('three')}</mj-wrapper>{section.format('four')}"
    )
    gaps = [found.start() for found in re.finditer("height:13px;line-height:13px", html)]
    one, two, three, four = (html.index(word) for word in (">one<", ">two<", ">three<", ">four<"))
    assert len(gaps) == 2
    assert one < gaps[0] < two < gaps[1] < three < four
    assert "#ffe0e0" in html[one : gaps[0]]
    assert "#ffe0e0" in html[two : gaps[1]]


def test_a_gap_may_be_given_for_all_wrappers() -> None:
    head = '<mj-attributes><mj-wrapper gap="13px" background-color="#ffe0e0" /></mj-attributes>'
    html = compiled("<mj-wrapper><mj-section /><mj-section /></mj-wrapper>" * 2, head)
    assert html.count("height:13px;line-height:13px") == 2
    other = compiled('<mj-wrapper gap="5px"><mj-section /><mj-section /></mj-wrapper>', head)
    assert other.count("height:5px;line-height:5px") == 1


def test_a_wrapper_without_a_gap_stays_as_it_is() -> None:
    html = compiled("<mj-wrapper><mj-section /><mj-section /></mj-wrapper>")
    assert html.count("max-width:600px") == 3


@pytest.mark.parametrize("head", ["", '<mj-attributes><mj-text height="40px" color="#123456" /></mj-attributes>'])
def test_raw_rows_stay_where_they_are_among_the_rows_of_a_column(head: str) -> None:
    html = in_column(
        "<mj-text>before</mj-text><mj-raw><tr><td>raw <b>1</b></td></tr><!-- x --></mj-raw><mj-text>after</mj-text>",
        head,
    )
    assert html.index("before") < html.index("<tr><td>raw <b>1</b></td></tr><!-- x -->") < html.index("after")
    assert "<div" not in html[html.index("before") : html.index("raw")]
    assert not re.search("[\ue000-\ue003]", html)


@pytest.mark.parametrize("raw", ["<mj-raw></mj-raw>", "<mj-raw />", "<mj-raw>\n<p>a</p>\n</mj-raw>"])
def test_any_raw_piece_leaves_no_trace_of_its_own(raw: str) -> None:
    for html in (in_column(f"{raw}<mj-text>b</mj-text>"), compiled(raw)):
        assert not re.search("[\ue000-\ue003]", html)


def test_a_social_picture_without_words_is_passed_over_by_those_who_listen() -> None:
    html = in_column(
        '<mj-social><mj-social-element src="a.png" href="/a">A</mj-social-element>'
        '<mj-social-element src="b.png" alt="Bee" href="/b" /></mj-social>'
    )
    assert re.findall(r"<img[^>]* alt=\"([^\"]*)\"", html) == ["", "Bee"]


@pytest.mark.parametrize(
    ("attributes", "apart"),
    [("", False), ('border="1px solid #444444"', False), ('cellspacing="3"', True), ('cellspacing="0"', False)],
)
def test_the_borders_of_a_table_are_drawn_apart_only_where_it_has_a_spacing(attributes: str, apart: bool) -> None:
    html = in_column(f"<mj-table {attributes}><tr><td>a</td></tr></mj-table>")
    assert ("border-collapse:separate" in html) is apart


def test_an_icon_comes_after_its_words_where_it_is_to() -> None:
    html = in_column(
        '<mj-social mode="vertical">'
        '<mj-social-element src="a.png" href="/a" icon-position="right">Words</mj-social-element>'
        '<mj-social-element src="b.png" icon-position="right">Bare</mj-social-element>'
        '<mj-social-element src="c.png" href="/c">Usual</mj-social-element></mj-social>'
    )
    order = sorted(("Words", "a.png", "Bare", "b.png", "c.png", "Usual"), key=html.index)
    assert order == ["Words", "a.png", "Bare", "b.png", "c.png", "Usual"]
    assert not re.search("[\ue000-\ue004]", html)


@pytest.mark.parametrize("css_class", ["", 'css-class="mine and-mine" '])
def test_a_hero_of_fluid_height_is_as_high_as_its_picture(css_class: str) -> None:
    html = compiled(
        f'<mj-hero {css_class}mode="fluid-height" background-width="600px" background-height="300px" '
        'background-url="a.png" padding="60px 20px"><mj-text>a</mj-text></mj-hero>'
    )
    assert '<td style="width:0.01%;padding-bottom:50%;mso-padding-bottom-alt:0;"></td><td background="a.png"' in html
    assert "height:-" not in html
    assert "mjml-fluid" not in html
    assert ('class="mine and-mine"' in html) is bool(css_class)


@pytest.mark.parametrize("size", ["", 'background-width="600px"', 'background-width="0" background-height="x"'])
def test_a_hero_of_fluid_height_without_a_size_is_as_high_as_what_it_holds(size: str) -> None:
    html = compiled(f'<mj-hero mode="fluid-height" {size}><mj-text>a</mj-text></mj-hero>')
    assert "padding-bottom" not in html[html.index("<body") :]


def test_the_arrows_of_a_carousel_are_hidden_from_yahoo_alone() -> None:
    image = '<mj-carousel-image src="a.png" alt="A" />'
    html = in_column(f"<mj-carousel>{image * 2}</mj-carousel>")
    assert "@media screen yahoo" in html
    assert not re.search(r"@media screen\s*,", html)


def test_a_fault_is_told_in_the_words_of_the_author() -> None:
    with pytest.raises(SourceError, match=r"^page:3: mj-section cannot stand in mj-raw"):
        in_column("<mj-raw>\n<mj-section /></mj-raw>")
