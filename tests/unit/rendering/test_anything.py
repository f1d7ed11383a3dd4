"""Whatever an editor types is laid out or refused with a message; nothing else ever happens."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import NewsletterError
from tests.unit.rendering.reading import HEAD, elements, fault, letter

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
issues = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.text(max_size=20)), max_size=25).map("".join)


def laid_out(body: str) -> None:
    for fields in ({}, {"name": "<Zoé>", "site": "https://e.org", "ville": "a"}):
        read = letter(body, HEAD, **fields)
        elements(read.html)
        assert "<script" not in read.html
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
