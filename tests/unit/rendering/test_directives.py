"""The blocks that `:::` makes, in both parts of the message."""

from __future__ import annotations

from dataclasses import fields

import pytest

from newsletter.errors import SourceError
from newsletter.rendering.blocks import Answer, Block, Cards, Contents, Entry, Poll, PullQuote, Sponsor, Video
from newsletter.rendering.document import Document, read_document
from newsletter.rendering.layout import for_theme
from newsletter.rendering.theme import load_theme
from tests.unit.rendering.reading import BASE_URL, FIELDS, HEAD, body_fault, compiled, elements, letter

IF, ENDIF = '{% if subscriber.ville == "Liège" %}', "{% endif %}"
CARDS = """::: cards
![One](a.png)

### First

Words.

[Read on](https://e.org/1)

---

Only words.

---

[More](https://e.org/3)
:::
"""
AGENDA = """::: agenda Agenda
- 20 mars, 19 h | [Concert](https://e.org/concert) *gratuit* | Bruxelles
- 2 avril | Assemblée
:::
"""
POLL = """::: poll On se voit vendredi ?
- Oui, *volontiers*
- [Samedi](https://e.org/samedi)
- Non
:::
"""


def read(body: str) -> Document:
    return read_document(HEAD + body, "issue.md", FIELDS)


def only(body: str) -> Block:
    [block] = read(body).blocks
    return block


def fields_of(body: str) -> dict[str, object]:
    """What a theme gets of the only block there is."""
    [made] = for_theme(read(body).blocks, {})
    return made


def test_a_line_of_dashes_divides() -> None:
    assert [block.kind for block in read("One.\n\n---\n\nTwo.\n").blocks] == ["prose", "divider", "prose"]


def test_cards_may_begin_with_a_picture_and_end_with_a_button() -> None:
    block = only(CARDS)
    assert isinstance(block, Cards)
    assert [(card.image and card.image.src, card.label, card.url) for card in block.cards] == [
        ("a.png", "Read on", "https://e.org/1"),
        (None, "", ""),
        (None, "More", "https://e.org/3"),
    ]
    made = fields_of(CARDS)
    assert list(made) == ["cards", "kind"]
    cards = made["cards"]
    assert isinstance(cards, list)
    assert [card["html"] for card in cards] == ["<h3>First</h3>\n<p>Words.</p>", "<p>Only words.</p>", ""]
    assert letter(CARDS).words == (
        "[Image\N{NO-BREAK SPACE}: One]\n\nFirst\n~~~~~\n\nWords.\n\n-> Read on [1]\n\nOnly words.\n\n-> More [2]\n\n"
        f"[1] {BASE_URL}/c/CLICKED/1\n[2] {BASE_URL}/c/CLICKED/2"
    )


def test_a_pull_quote_may_name_its_source() -> None:
    body = "::: pull-quote\nOne sentence.\n\n— *Someone*\n:::\n"
    block = only(body)
    assert isinstance(block, PullQuote)
    made = fields_of(body)
    assert (made["kind"], made["html"], made["source"]) == (
        "pull_quote",
        "<p>One sentence.</p>",
        "— <em>Someone</em>",
    )
    assert fields_of("::: pull-quote\nOne.\n:::\n")["source"] == ""
    assert letter(body).words == "> One sentence.\n>\n> — Someone"


def test_contents_list_the_second_level_headings() -> None:
    body = (
        "::: contents Au sommaire\n:::\n\n## One *a* `b`\n\nx\n\n### Not this\n\n# Two\n\n> ## Nor this\n\n"
        f"{IF}\n\n## Nor what only some see\n\n{ENDIF}\n\n## Three\n"
    )
    block = read(body).blocks[0]
    assert block == Contents("Au sommaire", (Entry("s-1", "One a b"), Entry("s-2", "Two"), Entry("s-4", "Three")))
    found = elements(letter(body, ville="Liège").html)
    assert [element.attributes["id"] for element in found if element.name == "h2" and "id" in element.attributes] == [
        "s-1",
        "s-2",
        "s-3",
        "s-4",
    ]
    assert letter(body).words.startswith("AU SOMMAIRE\n\n- One a b\n- Two\n- Three\n\n")
    assert letter("::: contents\n:::\n\nWords.\n").words == "Words."


def test_agenda_rows_say_when_what_and_perhaps_where() -> None:
    made = fields_of(AGENDA)
    assert made["rows"] == [
        {
            "when": "20 mars, 19 h",
            "what": '<a href="https://e.org/concert">Concert</a> <em>gratuit</em>',
            "where": "Bruxelles",
        },
        {"when": "2 avril", "what": "Assemblée", "where": ""},
    ]
    assert letter(AGENDA).words == (
        "AGENDA\n\n- 20 mars, 19 h | Concert [1] gratuit | Bruxelles\n- 2 avril | Assemblée\n\n"
        f"[1] {BASE_URL}/c/CLICKED/1"
    )


def test_a_sponsor_has_a_name_and_perhaps_a_picture() -> None:
    body = "::: sponsor La Librairie\n[![Logo](logo.png)](https://e.org)\n\nUn *atlas*.\n:::\n"
    block = only(body)
    assert isinstance(block, Sponsor)
    assert (block.name, block.image and block.image.href) == ("La Librairie", "https://e.org")
    assert fields_of(body)["html"] == "<p>Un <em>atlas</em>.</p>"
    assert letter(body).words == (
        "| Avec le soutien de\N{NO-BREAK SPACE}: La Librairie\n|\n| [Image\N{NO-BREAK SPACE}: Logo] [1]\n"
        f"|\n| Un atlas.\n\n[1] {BASE_URL}/c/CLICKED/1"
    )


def test_a_video_is_a_picture_that_leads_to_it() -> None:
    body = '::: video\n[![Un départ](still.png "En deux minutes")](https://e.org/v)\n:::\n'
    block = only(body)
    assert isinstance(block, Video)
    assert (block.url, block.caption, block.image.href) == ("https://e.org/v", "En deux minutes", "https://e.org/v")
    assert letter(body).words == f"-> En deux minutes [1]\n\n[1] {BASE_URL}/c/CLICKED/1"


def test_every_answer_of_a_poll_is_a_link_of_its_own() -> None:
    block = only(POLL)
    assert block == Poll(
        "On se voit vendredi ?",
        (Answer("Oui, volontiers", ""), Answer("Samedi", "https://e.org/samedi"), Answer("Non", "")),
    )
    both = letter(f"{POLL}\n{POLL.replace('vendredi', 'lundi')}")
    assert both.links == (
        f"{BASE_URL}/thanks?answer=1",
        "https://e.org/samedi",
        f"{BASE_URL}/thanks?answer=2",
        f"{BASE_URL}/thanks?answer=3",
        f"{BASE_URL}/thanks?answer=4",
    )
    assert "ON SE VOIT VENDREDI\u00a0?\n\n-> Oui, volontiers [1]\n-> Samedi [2]\n-> Non [3]" in both.words
    assert all("CLICKED" in href for href in both.hrefs)


MJML = '::: mjml\n<mj-text>Mine: <b>bold</b></mj-text>\n\n<mj-button href="https://e.org/?a=1&amp;b=2">Go</mj-button>\n:::\n'


def test_mjml_of_ones_own_is_for_themes_that_allow_it() -> None:
    if load_theme("magazine").raw_mjml:
        assert letter(MJML).links == ("https://e.org/?a=1&b=2",)
        assert letter(MJML).words.startswith("Mine: bold\n\nGo [1]")
    else:
        with pytest.raises(SourceError, match=r"issue.md:6: the theme magazine allows no ::: mjml"):
            compiled(f"One.\n\n{MJML}")


def test_mjml_is_not_touched_by_markdown() -> None:
    assert fields_of('::::  mjml\n<mj-text>*a* "b"\n\n    c\n:::\n</mj-text>\n::::\n')["source"] == (
        '<mj-text>*a* "b"\n\n    c\n:::\n</mj-text>\n'
    )


@pytest.mark.parametrize(
    ("body", "at", "expected"),
    [
        ("::: cards\nOne.\n:::\n", 1, "two or three parts with --- between them, not 1"),
        ("::: cards\na\n\n---\n\nb\n\n---\n\nc\n\n---\n\nd\n:::\n", 1, "not 4"),
        ("::: cards\na\n\n---\n:::\n", 1, "a card is empty"),
        ("::: cards\na\n---\nb\n:::\n", 2, "put an empty line before the ---"),
        ("::: cards\na ![p](p.png)\n\n---\n\nb\n:::\n", 2, "a picture stands alone"),
        (f"::: cards\n{IF}\n\na\n\n---\n\nb\n\n{ENDIF}\n:::\n", 2, "around one card of ::: cards"),
        ("::: pull-quote\n:::\n", 1, "::: pull-quote holds a sentence"),
        ("::: contents\nOne.\n:::\n", 1, "::: contents holds nothing"),
        ("::: agenda\nOne.\n:::\n", 1, "::: agenda holds one list"),
        ("::: agenda\n- a | b\n- c\n:::\n", 3, "a row of ::: agenda is a line such as"),
        ("::: agenda\n- a | b | c | d\n:::\n", 2, "a row of ::: agenda"),
        ("::: agenda\n- | b\n:::\n", 2, "a row of ::: agenda"),
        ("::: agenda\n- a | b\n\n  c\n:::\n", 2, "a row of ::: agenda"),
        (f"::: agenda\n- {IF}a | b{ENDIF}\n:::\n", 2, "a condition cannot stand around one row of ::: agenda: "),
        (f"::: agenda\n- a | b\n{IF}\n- c | d\n{ENDIF}\n:::\n", 3, "or around a whole ::: agenda of its own"),
        (
            f"::: poll A?\n- a\n{IF}\n- b\n{ENDIF}\n- c\n:::\n",
            3,
            "around one answer of ::: poll: put it around words",
        ),
        (f"::: cards\na\n\n---\n\n{IF}\n\nb\n\n---\n\n{ENDIF}\n\nc\n:::\n", 6, "around one card of ::: cards"),
        ("::: agenda\n- a | ![p](p.png)\n:::\n", 2, "a picture stands alone"),
        ("::: sponsor\nOne.\n:::\n", 1, "::: sponsor needs a name"),
        ("::: sponsor A\nOne.\n\n![p](p.png)\n:::\n", 4, "a picture stands alone"),
        ("::: video\n![p](p.png)\n:::\n", 1, "::: video holds one linked picture"),
        ("::: video\n[p](https://e.org)\n:::\n", 1, "::: video holds one linked picture"),
        ("::: poll\n- a\n- b\n:::\n", 1, "::: poll needs a question"),
        ("::: poll Q\n- a\n:::\n", 1, "two to six answers"),
        ("::: poll Q\na\n:::\n", 1, "two to six answers"),
        ("::: poll Q\n" + "- a\n" * 7 + ":::\n", 1, "two to six answers"),
        ("::: poll Q\n- a\n- b [c](https://e.org)\n:::\n", 3, "an answer is one link or plain words"),
        ("::: poll Q\n- a\n-\n:::\n", 1, "an answer is one link or plain words"),
        ("a\n\n::: mjml\n<mj-text>\n", 3, "::: mjml is not closed"),
        (f"::: mjml\n<mj-text>{IF}a{ENDIF}</mj-text>\n:::\n", 2, "put it around the whole"),
        ("> ::: mjml\n> <mj-text>\n> :::\n", 1, "::: mjml stands alone"),
        ("- a\n\n  ::: poll Q\n  - a\n  - b\n  :::\n", 3, "::: poll stands alone"),
        (":::: callout\n::: contents\n:::\n::::\n", 2, "::: contents stands alone"),
        ("::: agneda\n:::\n", 1, "::: agneda is unknown (did you mean ::: agenda?)"),
        ("::: poll Q\n- a\n- b\n", 1, "::: poll is not closed"),
    ],
)
def test_a_block_that_holds_the_wrong_thing_is_refused_with_its_line(body: str, at: int, expected: str) -> None:
    line, message = body_fault(body)
    assert expected in message
    assert line == at


@pytest.mark.parametrize(
    "body",
    [
        f"::: cards\nOne {IF}near{ENDIF}\n\n---\n\n{IF}\n\nhere\n\n{ENDIF}\n\nTwo\n:::\n",
        f"::: callout A\n{IF}\n- here\n{ENDIF}\n\nTwo\n:::\n",
        f"::: sponsor A\n{IF}\n\nhere\n\n{ENDIF}\n\nTwo\n:::\n",
        f"::: agenda\n- {IF}here{ENDIF} a | Two\n:::\n",
        f"::: poll Q\n- a {IF}here{ENDIF}\n- Two\n:::\n",
        f"::: pull-quote\nTwo {IF}here{ENDIF}\n:::\n",
        f"::: contents\n:::\n\n## Two {IF}here{ENDIF}\n",
        f"{IF}\n\n{CARDS}\nhere\n\n{AGENDA}\n{POLL}\n{ENDIF}\n\nTwo\n",
    ],
)
def test_conditions_stand_around_words_and_blocks_inside_blocks(body: str) -> None:
    for town, shown in (("Liège", True), ("Arlon", False)):
        seen = letter(body, ville=town)
        elements(seen.html)
        assert ("here" in seen.body, "here" in seen.words) == (shown, shown)
        assert "Two" in seen.words
        assert "<!--" not in seen.text


@pytest.mark.parametrize("body", [CARDS, AGENDA, POLL])
def test_both_parts_have_the_same_links(body: str) -> None:
    seen = letter(body)
    assert {href for href in seen.hrefs if "/c/" in href} == {word for word in seen.words.split() if "/c/" in word}
    assert len(seen.links) == len({href for href in seen.hrefs if "/c/" in href})


def test_every_kind_of_block_has_its_kind_as_last_field() -> None:
    for body in (CARDS, AGENDA, POLL, "---\n", "a\n"):
        assert fields(only(body))[-1].name == "kind"
