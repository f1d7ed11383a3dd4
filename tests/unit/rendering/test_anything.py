"""Whatever an editor types is laid out or refused with a message; nothing else ever happens."""

from __future__ import annotations

from contextlib import suppress
from time import process_time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import NewsletterError
from newsletter.rendering.markdown import DIRECTIVES
from tests.unit.rendering.reading import HEAD, body_fault, elements, fault, letter

FRAGMENTS = (
    "{{ subscriber.name }}",
    "{{ subscriber.site }}",
    "{{",
    "}}",
    "{% if subscriber.name %}",
    "{% if subscriber.ville == 'a' %}",
    "{% elif subscriber.site %}",
    "{% else %}",
    "{% endif %}",
    "{# a #}",
    "::: callout a\n",
    "::: cards\na\n\n---\n\nb\n:::\n",
    "::: cards\n",
    "\n\n---\n\n",
    "::: pull-quote\n",
    "::: contents a\n:::\n",
    "::: agenda\n- a | [b](https://e.org) | c\n:::\n",
    "::: agenda\n",
    "::: sponsor a\n",
    "::: video\n[![a](https://e.org/a.png)](https://e.org)\n:::\n",
    "::: poll a?\n- b\n- [c](https://e.org)\n:::\n",
    "::: poll a?\n",
    "::: mjml\n<mj-text>a</mj-text>\n:::\n",
    "::: mjml\n",
    ":::: ",
    "[^1]",
    "[^1]: ",
    "^[",
    "]",
    "<b>",
    "</b>",
    "<br>",
    "<div>",
    "</div>",
    "<table><tr><td>",
    "<ul><li>",
    "<script>",
    "</script>",
    "<a href='https://e.org'>",
    "</a>",
    '"',
    "'",
    "« ",
    " ?",
    "--",
    "שלום",
    "مرحبا",
    "\u202e",
    "日本語",
    "::: button\n[a](https://e.org)\n:::\n",
    ":::\n",
    "\n\n",
    "\n",
    "- ",
    "  ",
    "    ",
    "1. ",
    "> ",
    "# ",
    "## ",
    "| a | b |\n|---|---|\n",
    "|",
    "*",
    "**",
    "~~",
    "`",
    "```\n",
    "![a](https://e.org/a.png)",
    "![",
    "[a](https://e.org/?a=1&b=2)",
    "](",
    "](<",
    ')"',
    "<a href='x'>",
    "<!--",
    "-->",
    "]]>",
    "</mj-text>",
    "&amp;",
    "&#1;",
    "&nbsp;",
    "\\",
    "---\n",
    "— ",
    "é",
    "\u00a0",
    "\u2028",
    "\u200f",
    "😀",
    "a b c ",
)
issues = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=20)), max_size=10).map("".join)


def laid_out(body: str) -> None:
    before = process_time()
    letter(body)
    assert process_time() - before < 1
    for fields in ({}, {"name": "<Zoé>", "site": "https://e.org", "ville": "a"}):
        read = letter(body, HEAD, **fields)
        elements(read.html)
        assert "<script" not in read.html
        assert "<!--mt" not in read.html + read.text
        assert {href for href in read.hrefs if "/c/" in href} == {word for word in read.text.split() if "/c/" in word}
        assert len(read.subject.splitlines()) == 1


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300))
def test_any_text_is_laid_out_or_refused(body: str) -> None:
    with suppress(NewsletterError):
        laid_out(body)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(issues)
def test_any_pieces_of_an_issue_are_laid_out_balanced_or_refused(body: str) -> None:
    with suppress(NewsletterError):
        laid_out(body)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=60))
def test_any_expression_is_merged_or_refused_in_one_line(expression: str) -> None:
    with suppress(NewsletterError):
        laid_out(f"{{{{ {expression} }}}}")


def test_a_fault_in_the_last_of_many_lines_is_found_there() -> None:
    assert fault(HEAD + "word\n" * 2000 + "{{ nobody }}")[0] == 2004


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x7f", "\ud800"])
@pytest.mark.parametrize("place", ["a\n\n{}\n", "::: callout\na\n{}\n:::\n", "```\na\n{}\n```\n"])
def test_what_cannot_be_shown_is_refused_with_its_line(character: str, place: str) -> None:
    line, message = body_fault(place.format(character))
    assert (line, message) == (3, f"the character U+{ord(character):04X} cannot be shown: delete it")


@pytest.mark.parametrize("words", ["שלום עולם", "مرحبا بالعالم", "日本語のテキスト", "👩‍👩‍👧‍👦 ok", "a\u202eb"])
def test_every_script_is_laid_out(words: str) -> None:
    body = f"{words}\n\n::: poll {words}\n- {words}\n- b\n:::\n"
    read = letter(body)
    assert words in read.html
    assert words in read.text


@pytest.mark.parametrize("name", DIRECTIVES)
def test_a_directive_that_is_not_closed_is_named_with_its_line(name: str) -> None:
    line, message = body_fault(f"a\n\n::: {name} x\n- a\n- b\n" if name != "mjml" else "a\n\n::: mjml\n<mj-text>\n")
    assert (line, message) == (3, f"::: {name} is not closed: end it with a line of :::")
