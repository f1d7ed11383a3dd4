from __future__ import annotations

import pytest

from newsletter.rendering.blocks import Button, Callout, Image, Prose, Quote
from newsletter.rendering.document import read_document
from tests.unit.rendering.reading import HEAD, body_fault, elements, letter


def kinds(body: str) -> list[str]:
    return [block.kind for block in read_document(HEAD + body, "issue.md").blocks]


def test_a_run_of_text_is_one_block_and_what_stands_out_is_its_own() -> None:
    body = "One.\n\n## Two\n\n- a\n\n> Quote.\n\nThree.\n\n![p](p.png)\n\n::: callout\nBox.\n:::\n\nFour.\n"
    assert kinds(body) == ["prose", "quote", "prose", "image", "callout", "prose"]


def test_a_button_is_a_link_with_its_words() -> None:
    body = "::: button\n[Read *on*,\nplease](https://e.org/?a=1&b=2)\n:::\n"
    assert read_document(HEAD + body, "issue.md").blocks == (Button("Read on, please", "https://e.org/?a=1&b=2"),)
    assert "Read on, please</a>" in letter(body).body


def test_a_callout_has_a_title_or_none() -> None:
    for title in ("Did you <know>?", ""):
        body = f"::: callout {title}\nAny *Markdown*.\n\n- a\n:::\n"
        [block] = read_document(HEAD + body, "issue.md").blocks
        assert isinstance(block, Callout)
        assert block.title == title
        assert "Any <em" in letter(body).body
    assert "Did you &lt;know&gt;?" in letter("::: callout Did you <know>?\nb\n:::\n").body


def test_a_callout_may_hold_another_between_fewer_colons() -> None:
    body = ":::: callout A\n::: callout B\nc\n:::\n::::\n\nd\n"
    assert kinds(body) == ["callout", "prose"]
    elements(letter(body).html)


def test_a_directive_may_stand_in_a_quotation() -> None:
    assert kinds("> ::: callout A\n> b\n> :::\n") == ["quote"]


def test_a_quotation_may_name_its_source() -> None:
    read = letter("> Words.\n>\n> — *Someone*\n")
    assert '<p class="source"' in read.body
    elements(read.html)
    [block] = read_document(HEAD + "> Words.\n", "issue.md").blocks
    assert isinstance(block, Quote)


def test_a_quotation_of_nothing_but_its_source_is_a_quotation() -> None:
    assert "— Someone" in letter("> — Someone\n").body


def test_a_picture_alone_in_its_paragraph_has_a_caption_and_may_lead_somewhere() -> None:
    body = 'Text.\n\n[![A *red* "b\\*d"](p.png "The & caption")](https://e.org)\n'
    document = read_document(HEAD + body, "issue.md")
    assert document.images == (Image("p.png", 'A red "b*d"', "The & caption", "https://e.org", 6),)
    read = letter(body)
    image = next(element for element in elements(read.html) if element.name == "img")
    assert image.attributes["alt"] == "A red «\u00a0b*d\u00a0»"
    assert "The &amp; caption" in read.body


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ("One\ntwo ![p](p.png) three.\n", 1),
        ("One.\n\n- two\n- ![p](p.png)\n", 4),
        ("> ![p](p.png)\n", 1),
        ("::: callout\nTwo.\n\n![p](p.png)\n:::\n", 4),
        ("## A ![p](p.png)\n", 1),
        ("| a |\n|---|\n| ![p](p.png) |\n", 1),
        ("[x ![p](p.png)](https://e.org)\n", 1),
    ],
)
def test_a_picture_among_words_is_refused_for_it_would_not_be_sent_along(body: str, at: int) -> None:
    line, message = body_fault(body)
    assert "a picture stands alone" in message
    assert at <= line <= at + 2


@pytest.mark.parametrize(
    ("body", "at", "expected"),
    [
        ("One.\n\n::: warning\nTwo.\n:::\n", 3, "::: warning is unknown; there are ::: button, ::: callout"),
        (":::\nTwo.\n:::\n", 1, "::: closes nothing, and opens nothing without a name"),
        ("::: callout A\n::: callout B\nc\n:::\n", 2, "is not closed"),
        ("One.\n\n::: callout\nTwo.\n", 3, "::: callout is not closed: end it with a line of :::"),
        ("::: callout A\nOne.\n\n:::: callout B\ntwo\n:::\n", 4, "is not closed"),
        ("> ::: callout\n> a\n\nb\n", 1, "is not closed"),
        ("- a\n\n  ::: nothing\n  b\n  :::\n", 3, "::: nothing is unknown"),
        ("\n::: button\nRead on\n:::\n", 2, "::: button holds one link, such as [Read on](https://…)"),
        ("::: button\n:::\n", 1, "holds one link"),
        ("::: button\n[](https://e.org)\n:::\n", 1, "holds one link"),
        ("::: button\n[a](https://e.org) b\n:::\n", 1, "holds one link"),
        ("::: button\n[a](https://e.org) [b](https://e.org)\n:::\n", 1, "holds one link"),
        ("::: button\n[a](https://e.org)\n\n[b](https://e.org)\n:::\n", 1, "holds one link"),
        ("::: button\n- [a](https://e.org)\n:::\n", 1, "holds one link"),
        ("::: button\n[a](javascript:alert)\n:::\n", 1, "holds one link"),
        ("::: button\n[![a](a.png)](https://e.org)\n:::\n", 2, "a picture stands alone"),
    ],
)
def test_a_directive_that_holds_the_wrong_thing_is_refused_with_its_line(body: str, at: int, expected: str) -> None:
    line, message = body_fault(body)
    assert expected in message
    assert line == at


def test_the_title_is_the_only_first_level_heading() -> None:
    read = letter("# One\n\n::: callout\n# Two\n:::\n\n> # Three\n")
    assert [element.name for element in elements(read.html)].count("h1") == 1


def test_the_first_paragraph_is_the_lead() -> None:
    assert letter("One.\n\nTwo.\n").body.count('class="lead"') == 1
    [block] = read_document(HEAD + "One.\n\nTwo.\n", "issue.md").blocks
    assert isinstance(block, Prose)


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "vbscript:x", "file:///etc/passwd", "data:text/html,x"]
)
@pytest.mark.parametrize("link", ["[x]({})", "<{}>", "[x][r]\n\n[r]: {}", "[x](<{}>)", "[x]( {} )"])
def test_an_address_that_runs_something_is_no_link(link: str, url: str) -> None:
    read = letter(link.format(url))
    assert read.hrefs == []
    assert "href" not in read.body


def test_tables_and_struck_words_are_understood() -> None:
    read = letter("| a | b |\n|---|---:|\n| c | ~~d~~ |\n")
    names = [element.name for element in elements(read.html)]
    assert {"th", "s"} <= set(names)
