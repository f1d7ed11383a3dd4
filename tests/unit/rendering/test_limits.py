from __future__ import annotations

import time
from contextlib import suppress

import pytest

from newsletter.errors import NewsletterError
from newsletter.rendering.document import read_document
from newsletter.rendering.limits import MAX_BYTES, MAX_LINES, MAX_LINKS, MAX_MARKS, MAX_PICTURES
from newsletter.rendering.merge_tags import MAX_TAGS
from tests.unit.rendering.reading import FIRST_LINE, HEAD, body_fault, letter


def test_an_issue_of_more_than_a_megabyte_is_refused_with_the_line_that_goes_beyond() -> None:
    line = "é" * 49 + "\n"
    assert len((line * 10_000).encode()) < MAX_BYTES < len((line * 11_000).encode())
    at, message = body_fault(line * 11_000)
    assert message == "the issue is over 1 MB: split the issue"
    assert at == (MAX_BYTES - len(HEAD)) // len(line.encode()) + 1


@pytest.mark.parametrize(
    ("piece", "most", "what"),
    [
        ("![a](https://e.org/a.png)\n\n", MAX_PICTURES, "pictures"),
        ("[a](https://e.org)\n\n", MAX_LINKS, "links"),
        ("<a href='https://e.org'>a</a>\n\n", MAX_LINKS, "links"),
        ("{{ subscriber.name }}\n\n", MAX_TAGS, "merge tags"),
    ],
)
def test_more_than_a_newsletter_holds_is_refused_with_the_line(piece: str, most: int, what: str) -> None:
    assert letter(piece * most).html
    assert body_fault(piece * (most + 1)) == (2 * most + 1, f"more than {most:,} {what}: split the issue")


@pytest.mark.parametrize("piece", ["[^", "^[", "![", "<b>", "**a ", "&amp;", "[]("])
def test_more_marks_than_a_newsletter_needs_are_refused_before_anything_is_made_of_them(piece: str) -> None:
    marks = sum(map(piece.count, "[<*&"))
    most = MAX_MARKS // marks
    with suppress(NewsletterError):
        read_document(f"{HEAD}Words.\n{piece * most}", "issue.md")
    beyond = f"Words.\n{piece * most}\n{piece * (900_000 // len(piece) - most)}"
    assert body_fault(beyond) == (3, f"more than {MAX_MARKS:,} of [ < * & together: split the issue")


@pytest.mark.parametrize("piece", ["a\n", "a\n\n", "# a\n\n", "1. a\n", "a|a\n-|-\n", "***\n\n"])
def test_more_lines_than_a_newsletter_has_are_refused(piece: str) -> None:
    line, message = body_fault(piece * (900_000 // len(piece)))
    assert (line + FIRST_LINE - 1, message) == (MAX_LINES + 1, f"more than {MAX_LINES:,} lines: split the issue")


def test_pictures_in_cards_count_too() -> None:
    cards = "::: cards\n![a](https://e.org/a.png)\n\n---\n\n![b](https://e.org/b.png)\n:::\n\n"
    assert "pictures" in body_fault(cards * (MAX_PICTURES // 2 + 1))[1]


@pytest.mark.parametrize(
    "tag", ["{% for a in 'abc' %}", "{% while a %}", "{% endfor %}", "{% for a in range(9999999) %}"]
)
def test_an_issue_cannot_loop(tag: str) -> None:
    line, message = body_fault(f"One.\n\n{tag}\n")
    assert (line, "an issue cannot loop; only if, elif, else and endif may stand in {% %}" in message) == (3, True)


MARKS = (
    "{{",
    "{%",
    "{#",
    "{{ a }",
    '"a ',
    "'a ",
    "a' ",
    "!",
    "« ",
    "--",
    "`",
    "~~",
    "www.",
    "| ",
    "> ",
    "- ",
    "**a ",
)
HTML = ("<b>", "</b>", "<!--", "<a href=", "<", "[^", "^[", "![", "::: mjml\n", "::: callout\n")


@pytest.mark.parametrize("piece", [*MARKS, *HTML])
def test_the_same_thing_again_and_again_takes_no_time(piece: str) -> None:
    body = piece * (20_000 // len(piece))
    before = time.process_time()
    with suppress(NewsletterError):
        letter(body)
    assert time.process_time() - before < 1


def test_the_first_line_of_a_body_is_where_faults_count_from() -> None:
    assert HEAD.count("\n") + 1 == FIRST_LINE
