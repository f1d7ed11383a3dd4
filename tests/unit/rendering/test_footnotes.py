from __future__ import annotations

from newsletter.rendering.document import read_document
from tests.unit.rendering.reading import BASE_URL, HEAD, elements, letter

BODY = """One.[^a] Two [x](https://e.org/x).^[In *place*.] Three.[^a]

[^a]: Below, with [y](https://e.org/y).

    A second paragraph.

## Next

End.
"""


def test_footnotes_stand_at_the_end_and_lead_back() -> None:
    read = letter(BODY)
    found = elements(read.html)
    ids = {element.attributes["id"] for element in found if "id" in element.attributes}
    anchors = {href[1:] for href in read.hrefs if href.startswith("#")}
    assert anchors == {"fn1", "fn2", "fnref1", "fnref1:1", "fnref2"}
    assert anchors <= ids
    assert read.body.index("End.") < read.body.index("Below, with") < read.body.index("In <em")
    assert [block.kind for block in read_document(HEAD + BODY, "issue.md").blocks] == ["prose", "divider", "prose"]


def test_in_the_text_footnotes_and_links_share_one_series_of_numbers() -> None:
    assert letter(BODY).words == (
        "One. [1] Two x [2]. [3] Three. [1]\n\n"
        f"[2] {BASE_URL}/c/CLICKED/1\n\n"
        "Next\n----\n\nEnd.\n\n"
        "                                 * * *\n\n"
        "[1] Below, with y [4].\n\n    A second paragraph.\n\n"
        "[3] In place.\n\n"
        f"[4] {BASE_URL}/c/CLICKED/2"
    )


def test_a_footnote_nobody_refers_to_is_not_shown() -> None:
    assert letter("One.\n\n[^a]: Two.\n").words == "One."


def test_a_footnote_inside_another_is_part_of_it() -> None:
    read = letter("One.[^1] [^2]\n\n[^1]: > [^2]: Two.\n")
    elements(read.html)
    assert "Two." in read.words


def test_a_footnote_that_is_an_address_is_not_taken_for_a_link() -> None:
    assert letter("One.[^1]\n\n[^1]: https://e.org\n").links == ()
