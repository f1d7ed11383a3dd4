from __future__ import annotations

import pytest

from newsletter.rendering.compile import warnings
from newsletter.rendering.document import read_document
from tests.unit.rendering.reading import HEAD, body_fault, elements, letter

HARMFUL = (
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//e.org/x.js></SCRIPT>",
    '<img src=x onerror="alert(1)">',
    "<style>* {color: red}</style>",
    "<iframe src='https://e.org'></iframe>",
    "<form action='https://e.org'><input name=a></form>",
    "<!-- a comment -->",
    "<mj-include path='/etc/passwd' />",
    "</mj-text></mj-column>",
    "<![CDATA[x]]>",
    "<?php x ?>",
    "<a href='javascript:alert(1)'>x</a>",
    "<b onclick='alert(1)' style='position: fixed'>x</b>",
    "<!--[if mso]>x<![endif]-->",
    "<svg onload=alert(1)></svg>",
)


@pytest.mark.parametrize("markup", HARMFUL)
@pytest.mark.parametrize(
    "place", ["{}", "One {} two", "## {}", "> {}", "- {}", "| {} |\n|---|", "one[^1]\n\n[^1]: {}"]
)
def test_what_could_do_harm_is_left_out(markup: str, place: str) -> None:
    read = letter(place.format(markup))
    names = {element.name for element in elements(read.html)}
    assert not names & {"script", "iframe", "form", "input", "svg"}
    for trace in ("alert(1)", "onerror", "onclick", "color: red", "passwd", "<?php", "CDATA", "a comment", "fixed;"):
        assert trace not in read.html
        assert trace not in read.text


@pytest.mark.parametrize("place", ["`{}`", "```\n{}\n```", "    {}"])
def test_html_in_code_is_shown(place: str) -> None:
    read = letter(place.format("<b onclick='x'>"))
    assert "&lt;b onclick='x'&gt;" in read.body.replace("&#39;", "'")
    assert "<b onclick='x'>" in read.words


@pytest.mark.parametrize(
    ("body", "html", "text"),
    [
        ("One <b class='x'>*two*</b> three", "<b><em>two</em></b>", "One two three"),
        ("H<sub>2</sub>O", "H<sub>2</sub>O", "H2O"),
        ("one<br>two", "one<br>\ntwo", "one\ntwo"),
        ("<div align='center'><p>One <em>two</em></p></div>", "One <em>two</em></p>", "One two"),
        ("<ul><li>one</li><li>two</li></ul>", "<li>one</li>", "- one\n- two"),
        ("<ul>one<li>two</li></ul>", "<li>one</li>", "- one\n- two"),
        ("<div>\n\n*one*\n\n</div>", "<em>one</em>", "one"),
        ("<blockquote><p>One</p></blockquote>", "One</p>", "> One"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "<td>a</td>", "a | b"),
        ("<p>a &lt;b&gt; &amp; c</p>", "a &lt;b&gt; &amp; c", "a <b> & c"),
    ],
)
def test_what_is_harmless_is_passed_on_in_both_parts(body: str, html: str, text: str) -> None:
    read = letter(body)
    elements(read.html)
    assert html in _without_styles(read.body)
    assert read.words == text


def _without_styles(html: str) -> str:
    pieces = html.split(' style="')
    return "".join([pieces[0], *(piece.partition('"')[2] for piece in pieces[1:])])


@pytest.mark.parametrize(
    "body",
    [
        "<b>one",
        "one</b>",
        "*a <b>b* c</b>",
        "<b>a *b</b> c*",
        "<i>a <b>b</i> c</b>",
        "[a <b>b](https://e.org) c</b>",
        "<a href='https://e.org'>a [b](https://e.org) c</a>",
        "[a <a href='https://e.org'>b</a> c](https://e.org)",
        "<a href='https://e.org'>a <a href='https://e.org'>b</a></a>",
        "<div><b>one</div>two</b>",
        "<div>\n<a href='https://e.org'><p>one</p></a>",
        "</div></td></table>",
        "<li>one",
        "<td>one",
        "<script>",
        "one <script> two",
        "<table><b>x</b><tr><td>y",
        "<hr><ul><p>a</p></ul>",
    ],
)
def test_what_is_not_balanced_never_breaks_the_message(body: str) -> None:
    read = letter(body)
    elements(read.html)
    assert "</html>" in read.html


def test_a_link_in_html_is_counted_in_both_parts() -> None:
    for body in (
        "See <a href='https://e.org/?a=1&amp;b=2'>this</a>",
        "<p><a href='https://e.org/?a=1&amp;b=2'>this</a></p>",
    ):
        read = letter(body)
        assert read.links == ("https://e.org/?a=1&b=2",)
        assert "this [1]" in read.words


def test_conditions_see_the_elements_around_them() -> None:
    town = "{% if subscriber.ville %}"
    assert letter(f"<b>{town}here{{% endif %}}</b>", ville="a").words == "here"
    assert "does not stand where" in body_fault(f"<b>{town}here</b>{{% endif %}}")[1]
    assert "does not stand where" in body_fault(f"<div><p>{town}here</p>{{% endif %}}</div>")[1]
    assert body_fault(f"a\n\n<table>{town}<tr><td>a</td></tr>{{% endif %}}</table>") == (
        3,
        "a condition cannot stand in an HTML table: write it in Markdown",
    )


def test_html_is_noted_with_its_line() -> None:
    body = "One.\n\nTwo <u>three</u>\n<marquee>four</marquee>.\n\n<div><script>x</script></div>\n\n<!-- a note -->\n"
    advice = "Markdown reads the same in every mail program"
    assert warnings(read_document(HEAD + body, "issue.md")) == [
        (6, f"HTML in the text: <u> passed on without styles and scripts; <marquee> left out; {advice}"),
        (9, f"HTML in the text: <div> passed on without styles and scripts; <script> left out; {advice}"),
    ]
