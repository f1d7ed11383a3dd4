from __future__ import annotations

import re

import pytest
from css_inline import CSSInliner, InlineError

from newsletter.errors import InputError, SourceError
from newsletter.rendering.mjml import to_html
from newsletter.rendering.mjml_check import MAX_DEPTH
from newsletter.rendering.places import mark
from tests.unit.rendering.reading import elements, letter

FRAME = "<mjml><mj-body><mj-section><mj-column>\n{}\n</mj-column></mj-section></mj-body></mjml>"


def compiled(inner: str) -> str:
    return to_html(FRAME.format(inner), "theme x")


def test_mjml_becomes_html() -> None:
    assert "Hello &amp; <b>you</b>" in compiled("<mj-text>Hello &amp; <b>you</b></mj-text>")


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 16_000])
def test_deep_nesting_is_refused_before_the_compiler_is_called(depth: int) -> None:
    with pytest.raises(InputError, match=r"^theme x:3: elements are nested more than 200 deep$"):
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


@pytest.mark.parametrize("inner", ["<mj-text>", "</mj-text>", "<mj-text align=>x</mj-text>", "<"])
def test_malformed_mjml_is_an_error_that_names_the_theme(inner: str) -> None:
    with pytest.raises(InputError, match=r"^theme x:\d+: the MJML does not compile: "):
        compiled(inner)


def test_no_font_is_fetched_from_anyone() -> None:
    html = compiled('<mj-text font-family="Roboto, Open Sans, Lato">a</mj-text>')
    assert not re.search(r"https?://(?!www\.w3\.org)", html)


def test_odd_characters_in_an_issue_arrive_intact() -> None:
    read = letter(
        '![a\u00a0: \\\\ "b" &lt;c> & d](a.png)\n\n::: button\n[e\u00a0? \\\\ &lt;f> &](https://e.org)\n:::\n'
    )
    assert "a\u00a0: \\ «\u00a0b\u00a0» <c> & d" in [element.attributes.get("alt") for element in elements(read.html)]
    assert re.search(r"e(\u00a0|&nbsp;)\? \\ &lt;f&gt; &amp;</a>", read.html)


@pytest.mark.parametrize(
    ("inner", "line", "message"),
    [
        ("<mj-txt>a</mj-txt>", 2, "mj-txt is not a tag of MJML: did you mean mj-text?"),
        (
            '<mj-text>a</mj-text>\n<mj-text colour="red">a</mj-text>',
            3,
            "mj-text has no attribute colour: did you mean",
        ),
        ("\n<mj-section />", 3, "mj-section cannot stand in mj-column; there may be mj-accordion, mj-button"),
        ("<mj-text><mj-text>a</mj-text></mj-text>", 2, "mj-text cannot stand in mj-text"),
        ("<div>a</div>", 2, "<div> cannot stand in mj-column: put it into mj-text or mj-raw"),
        ("<mj-html-attributes />", 2, "mj-html-attributes is not supported: docs/mjml.md"),
        (
            '<mj-include path="/etc/passwd" />',
            2,
            "mj-include: /etc/passwd cannot be included: only a theme's own files",
        ),
    ],
)
def test_what_the_compiler_would_pass_in_silence_is_refused_with_its_line(
    inner: str, line: int, message: str
) -> None:
    with pytest.raises(SourceError) as caught:
        compiled(inner)
    assert str(caught.value).startswith(f"theme x:{line}: {message}")
    assert "\n" not in str(caught.value)


def test_every_default_of_mj_attributes_is_checked_too() -> None:
    head = '<mjml>\n<mj-head><mj-attributes>\n<mj-all colour="red" /></mj-attributes></mj-head></mjml>'
    with pytest.raises(SourceError, match=r"^x:3: mj-all has no attribute colour"):
        to_html(head, "x")


def test_inline_styles_are_on_the_elements_and_nowhere_else() -> None:
    html = to_html(STYLED.format(".mine div { text-indent: 7px }"), "x")
    assert re.search(r'<div style="[^"]*text-indent: ?7px', html)
    assert ".mine div" not in html


@pytest.mark.parametrize(
    "css", ["@import url(https://example.org/a.css);", "a { color: ", "}}}", "\x00", "a:::b {}", "@"]
)
def test_odd_inline_styles_neither_stop_the_message_nor_fetch_anything(css: str) -> None:
    assert ">a</div>" in to_html(STYLED.format(css), "x")


# css-inline gives up on an element whose own style attribute is broken, once a rule matches it.
@pytest.mark.parametrize("broken", ["color", ":", "(", "@x", "1:2"])
def test_where_styles_cannot_be_inlined_they_stay_in_the_head(broken: str) -> None:
    css = ".mine p { text-indent: 7px }"
    page = STYLED.replace(">a</mj-text>", f'><p style="{broken}">a</p></mj-text>')
    with pytest.raises(InlineError):
        CSSInliner(extra_css="p { text-indent: 7px }").inline(f'<p style="{broken}">a</p>')
    html = to_html(page.format(css), "x")
    assert f'<p style="{broken}">a</p>' in html
    assert html.index(f"<style>{css}</style></head>") < html.index("<body")


STYLED = (
    '<mjml><mj-head><mj-style inline="inline">{}</mj-style></mj-head><mj-body><mj-section><mj-column>'
    '<mj-text css-class="mine">a</mj-text></mj-column></mj-section></mj-body></mjml>'
)


def including(files: dict[str, str]) -> str:
    def read(path: str) -> str:
        if path not in files:
            raise LookupError(f"there is no file {path}")
        return mark(files[path], path)

    return to_html(mark(files["page"], "page"), "page", read)


def test_an_include_puts_the_file_in_its_place() -> None:
    page = FRAME.format('<mj-include path="a" />\n<mj-include path="b" type="html"></mj-include>')
    html = including({"page": page, "a": "<mj-text>from a</mj-text>", "b": "<i>from b</i>"})
    assert html.index("from a") < html.index("<i>from b</i>")


def test_an_included_style_is_inlined_when_asked() -> None:
    page = STYLED.replace("<mj-head>", '<mj-head><mj-include path="a" type="css" css-inline="inline" />').format("")
    assert "text-indent" in including({"page": page, "a": ".mine div { text-indent: 7px }"})


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": '\n<mj-include path="a" />'}, "a:2: mj-include: a includes itself"),
        ({"a": '<mj-include path="b" />', "b": '<mj-include path="a" />'}, "b:1: mj-include: a includes itself"),
        ({"a": '<mj-include path="c" />'}, "a:1: mj-include: there is no file c"),
        ({"a": "<mj-include />"}, "a:1: mj-include: name a file"),
        ({"a": '<mj-include path="b" type="pdf" />'}, 'a:1: mj-include: type="pdf" is unknown'),
        ({"a": '<mj-include path="b" />' * 101, "b": ""}, "a:1: mj-include: at most 100 files"),
        ({"a": "<mj-text>b</mj-text>\n<mj-txt />"}, "a:2: mj-txt is not a tag"),
    ],
)
def test_a_wrong_include_is_named_by_file_and_line(files: dict[str, str], message: str) -> None:
    with pytest.raises(SourceError) as caught:
        including({"page": FRAME.format('<mj-include path="a" />'), **files})
    assert str(caught.value).startswith(message)
